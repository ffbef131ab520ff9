"""What the files need that are still to become functions."""

from local_dream_mockserver.faults.middleware import Reply

refusal = Reply.of_error
