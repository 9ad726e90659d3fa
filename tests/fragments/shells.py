"""Shells for tests: one slot, a plan of a page, and any page made of odd tags."""

from hypothesis import strategies as st

from fragments.heading import Region
from fragments.plan import Plan, compile
from fragments.slot import Slot

SLOT = '<mf-slot name="n">F</mf-slot>'
SLOT2 = '<mf-slot name="m"></mf-slot>'
B = ("html", "body")


def plan(shell: str) -> Plan:
    return compile(shell.encode())


def only(shell: str) -> Slot:
    (slot,) = plan(shell).slots
    return slot


def codes(shell: str) -> list[str]:
    return [said.code for said in plan(shell).diagnostics]


def region(found: Plan, at: Region) -> bytes:
    return found.literals[at.literal][at.start : at.end]


TAGS = """
<mf-slot_name=n> <mf-slot_name=m_/> </mf-slot> <!--mf:slot_name=c--> <template_mf-slot=t> </template> <template> <p>
</p> <table> <tr> <td> </table> <div> </div> <title> </title> <script> </script> <svg> </svg> <select> <head> </head>
<body> x
<!-- --> <noscript> </noscript> <form> </form> <style> <frameset> <link_rel=stylesheet_href=/a> <math> <!doctype_html>
"""
SHELLS = st.lists(st.sampled_from(TAGS.split()).map(lambda tag: tag.replace("_", " ")), max_size=16).map("".join)
