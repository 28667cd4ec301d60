"""Few degrees of freedom: integrators, and bodies with equations of their own."""
