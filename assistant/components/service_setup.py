"""Fine-tuning by a service: which one and which model, what it would be sent, and a person's agreement to that."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.engines.services import Service, service_of
from assistant.i18n.texts import t
from assistant.session import resources
from tuning.checkpoints.manifest import REMOTE
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.remote.outgoing import Outgoing, outgoing


def draw_target(config: TuneConfig) -> TuneConfig:
    """The model at the service of the settings; the configuration with both, or without an address."""
    service = service_of(resources.workspace().settings)
    if service is None:
        st.info(t("service.none"), icon=":material/cloud_off:")
        return replace(config, device=None)
    model = st.text_input(
        t("service.model"),
        _known_model(config, service),
        key="service-model",
        placeholder="gpt-4.1-nano-2025-04-14",
        help=t("service.model.help", host=formatting.escape_markdown(service.host)),
    )
    return replace(config, base=(model or "").strip(), send_to=service.url, device=None)


def _known_model(config: TuneConfig, service: Service) -> str:
    parent = resources.workspace().registry.get(config.parent).base if config.parent else ""
    return parent or service.model


def draw_agreement(config: TuneConfig, examples: Sequence[Example]) -> bool:
    """What would leave this machine, and whether that was agreed to: anew whenever it is something else."""
    if config.method != REMOTE or not config.send_to or not config.base:
        return False
    sent = outgoing(config.send_to, config.base, examples, config.system_prompt)
    _draw_outgoing(sent)
    asked = t("service.agree", count=sent.examples, host=formatting.escape_markdown(sent.host))
    return st.checkbox(asked, key=f"service-agree-{sent.host}-{sent.model}-{sent.sha256[:12]}")


def _draw_outgoing(sent: Outgoing) -> None:
    html_blocks.tiles(
        [
            html_blocks.Tile(
                t("service.examples"), str(sent.examples), formatting.size(sent.bytes), tint="amber"
            ),
            html_blocks.Tile(
                t("service.tokens"), t("about", value=f"{sent.tokens:,}"), t("service.tokens.note")
            ),
            html_blocks.Tile(t("service.price"), t("service.price.unknown"), t("service.price.note")),
        ]
    )
    html_blocks.quiet(t("service.leaves", url=sent.url))
