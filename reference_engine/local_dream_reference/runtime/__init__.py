"""What runs a model's networks: PyTorch on any device, or OpenVINO on a CPU.

The pipelines and samplers stay those of diffusers; only what ``unet``, ``vae.encoder`` and ``vae.decoder`` compute
comes from here. Lowest first: ``cache`` (converted models on disk), ``compiled`` (one network that OpenVINO runs),
``converted_model`` and ``networks`` (all of a model, in the places of PyTorch's), ``trial`` (do they compute what
PyTorch computed?), ``picture_trial`` (does all of it make PyTorch's picture?), ``conversion`` (a process of its own
that converts and tries), ``choice``.
"""
