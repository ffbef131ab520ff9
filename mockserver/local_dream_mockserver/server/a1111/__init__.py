"""An adapter, outside the contract: the few paths of AUTOMATIC1111's web API with which its clients make pictures."""
