"""A scene as a page of its own: `program` makes the module, `pages` the page, `page/` has its JavaScript."""
