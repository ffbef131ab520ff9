"""What every other wing knows: settings, the contract, exchanges, verdicts. Asks and writes nothing."""
