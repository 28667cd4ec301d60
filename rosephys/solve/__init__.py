"""A scene's loss and gradient, and what is made of them: descents, landscapes, and whether to trust
them."""
