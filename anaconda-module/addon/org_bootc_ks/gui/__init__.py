"""A user interface of the add-on."""
