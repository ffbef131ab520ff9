"""Requests that real releases were sent, their answers, and what the personalities make of the same requests."""
