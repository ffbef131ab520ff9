"""An engine on many machines: replicas of any engine as a Ray Serve deployment, behind the one HTTP front."""
