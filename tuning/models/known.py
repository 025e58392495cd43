"""Open models of which the shape, the licence and the languages are known before they are fetched. Data alone."""

from dataclasses import dataclass

from tuning.config import DEFAULT_BASE, PLAIN_BASE
from tuning.models.shape import ModelShape


@dataclass(frozen=True)
class KnownModel:
    """A model to be tuned under its name, and as a GGUF file in 4 or 8 bits, with which a CPU chats faster."""

    name: str
    title: str
    shape: ModelShape
    license: str
    languages: str  # what it was trained for, in short
    gguf: str = ""  # owner/name:KIND on a hub
    gguf_bytes: int = 0
    speaks_chinese: bool = False
    is_gated: bool = False  # given only to those who accept its licence


def _dense(
    parameters: int,
    layers: int,
    hidden: int,
    inner: int,
    kv_width: int,
    vocabulary: int,
    window: int,
    architecture: str = "llama",
    tables: int = 1,
) -> ModelShape:
    return ModelShape(
        architecture, parameters, layers, hidden, inner, kv_width, vocabulary, window, 0, tables
    )


_MANY = "English, Chinese and more"
# From the weakest to the strongest, as far as published comparisons agree; `catalogue` recommends by this order.
KNOWN = (
    KnownModel(
        PLAIN_BASE,
        "SmolLM2 135M without skills",
        _dense(134_515_008, 30, 576, 1536, 192, 49_152, 8192),
        "Apache-2.0",
        "English",
    ),
    KnownModel(
        DEFAULT_BASE,
        "SmolLM2 135M Instruct",
        _dense(134_515_008, 30, 576, 1536, 192, 49_152, 8192),
        "Apache-2.0, CC BY-SA 4.0",
        "English, some Chinese",
    ),
    KnownModel(
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        "SmolLM2 360M",
        _dense(361_821_120, 32, 960, 2560, 320, 49_152, 8192),
        "Apache-2.0",
        "English",
    ),
    KnownModel(
        "Qwen/Qwen2.5-0.5B-Instruct",
        "Qwen2.5 0.5B",
        _dense(494_032_768, 24, 896, 4864, 128, 151_936, 32_768, "qwen2"),
        "Apache-2.0",
        _MANY,
        "Qwen/Qwen2.5-0.5B-Instruct-GGUF:Q4_K_M",
        491_400_064,
        speaks_chinese=True,
    ),
    KnownModel(
        "Qwen/Qwen3-0.6B",
        "Qwen3 0.6B",
        _dense(596_049_920, 28, 1024, 3072, 1024, 151_936, 40_960, "qwen3"),
        "Apache-2.0",
        _MANY,
        speaks_chinese=True,
    ),
    KnownModel(
        "meta-llama/Llama-3.2-1B-Instruct",
        "Llama 3.2 1B",
        _dense(1_235_814_400, 16, 2048, 8192, 512, 128_256, 131_072),
        "Llama 3.2",
        "English and 7 more",
        is_gated=True,
    ),
    KnownModel(
        "google/gemma-3-1b-it",
        "Gemma 3 1B",
        _dense(999_885_952, 26, 1152, 6912, 256, 262_144, 32_768, "gemma3_text"),
        "Gemma",
        _MANY,
        speaks_chinese=True,
        is_gated=True,
    ),
    KnownModel(
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        "SmolLM2 1.7B",
        _dense(1_711_376_384, 24, 2048, 8192, 2048, 49_152, 8192),
        "Apache-2.0",
        "English",
    ),
    KnownModel(
        "Qwen/Qwen2.5-1.5B-Instruct",
        "Qwen2.5 1.5B",
        _dense(1_543_714_304, 28, 1536, 8960, 256, 151_936, 32_768, "qwen2"),
        "Apache-2.0",
        _MANY,
        "Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M",
        1_117_320_736,
        speaks_chinese=True,
    ),
    KnownModel(
        "Qwen/Qwen3-1.7B",
        "Qwen3 1.7B",
        _dense(1_720_574_976, 28, 2048, 6144, 1024, 151_936, 40_960, "qwen3"),
        "Apache-2.0",
        _MANY,
        "Qwen/Qwen3-1.7B-GGUF:Q8_0",
        1_834_426_016,
        speaks_chinese=True,
    ),
    KnownModel(
        "Qwen/Qwen3.5-2B",
        "Qwen3.5 2B",
        ModelShape("qwen3_5", 1_881_825_088, 24, 2048, 6144, 512, 248_320, 262_144, kv_layers=6),
        "Apache-2.0",
        _MANY,
        speaks_chinese=True,
    ),
    KnownModel(
        "HuggingFaceTB/SmolLM3-3B",
        "SmolLM3 3B",
        _dense(3_075_098_624, 36, 2048, 11_008, 512, 128_256, 65_536, "smollm3"),
        "Apache-2.0",
        "English and 5 European languages",
    ),
    KnownModel(
        "microsoft/Phi-4-mini-instruct",
        "Phi-4 mini",
        _dense(3_836_021_760, 32, 3072, 8192, 1024, 200_064, 131_072, "phi3"),
        "MIT",
        _MANY,
        speaks_chinese=True,
    ),
    KnownModel(
        "Qwen/Qwen2.5-7B-Instruct",
        "Qwen2.5 7B",
        _dense(7_615_616_512, 28, 3584, 18_944, 512, 152_064, 32_768, "qwen2", tables=2),
        "Apache-2.0",
        _MANY,
        speaks_chinese=True,
    ),
    KnownModel(
        "meta-llama/Llama-3.1-8B-Instruct",
        "Llama 3.1 8B",
        _dense(8_030_261_248, 32, 4096, 14_336, 1024, 128_256, 131_072, tables=2),
        "Llama 3.1",
        "English and 7 more",
        is_gated=True,
    ),
    KnownModel(
        "zai-org/GLM-4-9B-0414",
        "GLM-4 9B",
        _dense(9_400_279_040, 40, 4096, 13_696, 256, 151_552, 32_768, "glm4", tables=2),
        "MIT",
        _MANY,
        speaks_chinese=True,
    ),
    KnownModel(
        "Qwen/Qwen3-8B",
        "Qwen3 8B",
        _dense(8_190_735_360, 36, 4096, 12_288, 1024, 151_936, 40_960, "qwen3", tables=2),
        "Apache-2.0",
        _MANY,
        speaks_chinese=True,
    ),
    KnownModel(
        "Qwen/Qwen3-4B-Instruct-2507",
        "Qwen3 4B Instruct 2507",
        _dense(4_022_468_096, 36, 2560, 9728, 1024, 151_936, 262_144, "qwen3"),
        "Apache-2.0",
        _MANY,
        "unsloth/Qwen3-4B-Instruct-2507-GGUF:Q4_K_M",
        2_497_281_120,
        speaks_chinese=True,
    ),
    KnownModel(
        "Qwen/Qwen3.5-4B",
        "Qwen3.5 4B",
        ModelShape("qwen3_5", 4_205_751_296, 32, 2560, 9216, 1024, 248_320, 262_144, kv_layers=8),
        "Apache-2.0",
        _MANY,
        "unsloth/Qwen3.5-4B-GGUF:Q4_K_M",
        2_740_000_000,
        speaks_chinese=True,
    ),
    KnownModel(
        "Qwen/Qwen3.5-9B",
        "Qwen3.5 9B",
        ModelShape("qwen3_5", 8_953_803_264, 32, 4096, 12_288, 1024, 248_320, 262_144, kv_layers=8, tables=2),
        "Apache-2.0",
        _MANY,
        speaks_chinese=True,
    ),
)
