"""The map of the house.

Imports only go down it; `gateway/README.md` says what is in each file.

    cli            the command: all verbs, and how each ends
    verbs          what `portico` can be told, a file per kind
    look           how what the verbs say looks
    demo           the demo's processes, with one log and one end
    trial          what `portico check` and `portico plan` run on applications and shells
    walk           a walk through a portal's pages
    app            the wiring, the only file that names every implementation
    proxy          data plane: one request from wire to wire, its order on one page, `proxy/flow.py`
    registry       control plane: what teams declare, checked, kept, followed and told
    telemetry      facts, and the log as a view of them
    transport      how a request reaches an origin
    store          what the house remembers: answers and registrations
    exchange       the record of one request on its way
    settings       what the operator sets, and the only reader of environment and files
    browser        what viewers are sent: the runtimes of pages below a prefix and of composed ones
    table          all manifests of one moment, compiled
    rules          HTTP as an intermediary must speak it; pure
    message, model what goes over the wire; what teams declare
    recent, errors a bounded memory; what can go wrong
    fragments      the library beside: HTML in, HTML out; pure, and it knows nothing of the gateway
"""

__version__ = "0.1.0"
