"""Whole other servers: releases of the original one, as their clients see them."""
