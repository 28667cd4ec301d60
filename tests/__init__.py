"""The tests, found by the name of what they test.

`tests/rose_ad/ir/` tests `rose_ad/ir/`, and so on; `tests/scenes/` tests the scenes, `tests/docs/` what the
documentation says. `tests/support/` has what several tests share.
"""
