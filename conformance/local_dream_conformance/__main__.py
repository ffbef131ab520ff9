"""`python -m local_dream_conformance`: the command `local-dream`."""

from local_dream_conformance.cli import main

if __name__ == "__main__":
    main(prog_name="local-dream")
