"""The mock for people who test clients: told what to answer while it runs, and keeping what clients sent."""
