"""The REST door of repositories and who may use them."""
