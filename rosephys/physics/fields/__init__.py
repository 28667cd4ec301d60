"""Fields on grids: what carries, spreads, presses and swings them."""
