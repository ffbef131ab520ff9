"""Checks of the contract, one module per group. Importing a module registers its checks."""
