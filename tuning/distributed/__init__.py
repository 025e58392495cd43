"""Several processes on one adapter: ranks, FSDP2, ZeRO 3."""
