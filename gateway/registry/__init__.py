"""The control plane: what teams declare, checked, kept, followed and told. It never stands in a viewer's way.

`check` judges (pure), `access` knows who asks, `service` does it, `follow` brings it into every process's table;
`api` and `pages` are its faces on the admin listener, `client` is how the verbs reach them.
"""
