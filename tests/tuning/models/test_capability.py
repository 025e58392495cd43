"""Capability follows from size and instruction tuning."""

from tuning.models.capability import capability


def test_size_and_instruction_tuning_decide() -> None:
    assert capability(134_515_008) == "small"
    assert capability(494_032_768) == "capable"
    assert capability(7_000_000_000) == "strong"
    assert capability(None) == "strong"  # an endpoint does not say
    assert capability(7_000_000_000, instructed=False) == "small"
