"""Order -> provider -> provider event, over HTTP, files and SMPP. A connector knows money and its contract, nothing else."""
