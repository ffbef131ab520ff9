"""What runs a model's networks: PyTorch on any device, or OpenVINO on a CPU.

The pipelines and samplers stay those of diffusers; only what ``unet``, ``vae.encoder`` and ``vae.decoder`` compute
comes from here. Lowest first: ``cache`` (converted models on disk), ``openvino`` (networks that run), ``trial`` (do
they compute what PyTorch computed?), ``conversion`` (a process of its own that converts and tries), ``choice``.
"""
