"""The manual of a tool that does not exist, as sphinx-quickstart would set it up."""

project = "Kettle"
copyright = "the kettle makers"
extensions = ["sphinx.ext.autosectionlabel", "sphinx.ext.viewcode"]
html_theme = "furo"
html_baseurl = "/"
html_copy_source = True
