"""A scene as a page of its own: `program` makes the module, `pages` what is around it; `page/` is its JavaScript."""
