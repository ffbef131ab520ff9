"""What newer servers have beyond the core of the contract (its profiles `extension:<name>`), one module each."""
