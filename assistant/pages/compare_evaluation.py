"""Evaluations: start one, watch it, continue an interrupted one, open a finished one."""

from functools import partial

import streamlit as st

from assistant.compare.evaluations import EvaluationPlan, Evaluations
from assistant.compare.judge import JudgeChoice
from assistant.compare.questions import Question, spread
from assistant.compare.results import EvaluationResult
from assistant.compare.reward_judge import open_judge
from assistant.compare.running import EvaluationTask
from assistant.compare.variants import require
from assistant.components import formatting, html_blocks
from assistant.components.variant_picker import default_options, draw_picker
from assistant.errors import CompareError
from assistant.i18n.texts import t, translated
from assistant.pages.compare_evaluation_result import draw_result
from assistant.pages.compare_question_sets import choose
from assistant.session import notices, preferences, resources

REWARD = "reward"  # stands in place of the address of a judge that is a checkpoint


def draw() -> None:
    """The view: what runs, the one in the address, or all of them."""
    work = resources.evaluation_runs().newest
    if work is not None and work.is_complete and st.session_state.get("watched") == work.plan.id:
        st.session_state["watched"] = None
        _go(work.plan.id)
    opened = st.query_params.get("evaluation")
    if work is not None and work.running:
        _draw_running(work)
    elif opened:
        _draw_one(opened)
    else:
        if work is not None and work.error:
            _draw_interrupted(work)
        _draw_start()
        _draw_list()


def _store() -> Evaluations:
    return Evaluations(resources.workspace().home)


def _go(plan_id: str | None) -> None:
    if plan_id is None:
        st.query_params.pop("evaluation", None)
    else:
        st.query_params["evaluation"] = plan_id


# ---- starting


def _draw_start() -> None:
    html_blocks.quiet(t("evaluation.lead"))
    variants = draw_picker("evaluation")
    questions = _of_slices(choose("evaluation"))
    count = _how_many(questions)
    costs = st.toggle(t("evaluation.costs"), value=True, key="with-costs", help=t("evaluation.costs.help"))
    judge, key = _draw_judge()
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            t("evaluation.run"),
            type="primary",
            icon=":material/play_arrow:",
            key="run-evaluation",
            disabled=not variants or not questions,
        )
        html_blocks.quiet(t("evaluation.answers", count=f"{count * len(variants):,}"))
    if pressed:
        with notices.show_errors():
            choice = _choice(judge)
            name = f"{st.session_state.get('set-evaluation', '')}".removeprefix("own:")
            names = {"sets.sample": t("sets.sample"), "sets.sample.unknown": t("sets.sample.unknown")}
            plan = _store().create(
                names.get(name, name),
                variants,
                spread(questions, count),
                default_options(),
                choice,
            )
            _start(plan, key, costs=costs)


def _of_slices(questions: list[Question]) -> list[Question]:
    """The questions of the chosen kinds."""
    slices = list(dict.fromkeys(question.slice for question in questions if question.slice))
    if len(slices) < 2:
        return questions
    chosen = st.pills(
        t("evaluation.slices"),
        slices,
        default=slices,
        selection_mode="multi",
        key=f"slices-{'-'.join(slices)}",
        format_func=lambda name: formatting.escape_markdown(translated(name)),
    )
    return [question for question in questions if question.slice in chosen]


def _how_many(questions: list[Question]) -> int:
    if len(questions) < 2:
        return len(questions)
    key = f"how-many-{len(questions)}"
    return int(
        st.slider(
            t("evaluation.how_many"),
            1,
            len(questions),
            min(40, len(questions)),
            key=key,
            help=t("evaluation.how_many.help"),
        )
    )


def _draw_judge() -> tuple[tuple[str, str] | None, str]:
    """The judge's model and address where one is wanted, and the key, which is never kept.

    A reward model stands behind no address: it is named after `REWARD`.
    """
    if not st.toggle(t("evaluation.judge"), key="with-judge", help=t("evaluation.judge.help")):
        return None, ""
    rewards = preferences.reward_models()
    if rewards:
        who = st.selectbox(
            t("evaluation.judge.who"),
            [*rewards, None],
            key="judge-who",
            width=340,
            format_func=lambda name: name or t("evaluation.judge.endpoint"),
        )
        if who is not None:
            return (who, REWARD), ""
    left, middle, right = st.columns(3)
    model = left.text_input(t("evaluation.judge.model"), key="judge-model")
    url = middle.text_input(
        t("evaluation.judge.url"), key="judge-url", placeholder="http://127.0.0.1:8000/v1"
    )
    key = right.text_input(t("evaluation.judge.key"), key="judge-key", type="password")
    return (model or "", url or ""), key or ""


def _choice(judge: tuple[str, str] | None) -> JudgeChoice | None:
    if judge is None:
        return None
    name, place = judge
    return JudgeChoice(name, "reward") if place == REWARD else JudgeChoice(name, "endpoint", place)


def _start(plan: EvaluationPlan, key: str = "", *, costs: bool = True) -> None:
    """Begin, or go on where it was. Raises AssistantError."""
    opened = resources.workspace()
    checkpoints = opened.registry.answering()
    require(
        plan.variants,
        [one.name for one in checkpoints],
        list(resources.knowledge_counts()),
        plan.defaults.knowledge_base,
    )
    resources.evaluation_runs().start(
        plan,
        _store(),
        opened.chat,
        resources.engine(),
        checkpoints,
        key=key,
        costs=costs,
        open_judge=partial(open_judge, opened.local_engine, opened.registry),
    )
    st.session_state["watched"] = plan.id
    st.rerun()


# ---- watching


@st.fragment(run_every=1.0)
def _draw_running(work: EvaluationTask) -> None:
    notices.apply_language()
    if not work.running:
        st.rerun()
    st.subheader(formatting.escape_markdown(work.plan.name), anchor=False)
    share = work.done / work.total if work.total else 0.0
    st.progress(min(1.0, share), text=formatting.escape_markdown(_progress(work)))
    st.button(t("evaluation.stop"), icon=":material/stop_circle:", key="stop-evaluation", on_click=work.stop)


def _progress(work: EvaluationTask) -> str:
    if work.stopping:
        return t("chat.stopping")
    if work.phase == "measuring":
        return t("evaluation.measuring")
    if work.phase == "judging":
        return t("evaluation.judging", done=f"{work.done:,}", total=f"{work.total:,}")
    values = {"done": f"{work.done:,}", "total": f"{work.total:,}", "arm": work.variant or "…"}
    left = work.seconds_left
    if left is None:
        return t("evaluation.progress", **values)
    return t("evaluation.progress.left", left=formatting.seconds(left), **values)


def _draw_interrupted(work: EvaluationTask) -> None:
    """The newest one did not finish: stopped, and how far it is, or failed, and why."""
    if not work.stopping:
        st.error(notices.sentence(Exception(work.error)), icon=":material/error:")
        return
    try:
        plan = _store().get(work.plan.id)
    except CompareError:  # stopped and deleted
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="stopped-evaluation"):
        name = plan.name
        html_blocks.quiet(t("evaluation.stopped", done=f"{plan.done:,}", total=f"{plan.total:,}", name=name))
        st.space("stretch")
        _draw_go_on(plan, "stopped")


def _draw_go_on(plan: EvaluationPlan, where: str) -> None:
    if st.button(t("evaluation.go_on"), key=f"go-on-{where}", icon=":material/play_arrow:"):
        with notices.show_errors():
            _start(plan)


# ---- those there are


def _draw_list() -> None:
    plans = _store().list()
    if plans:
        st.subheader(t("evaluation.earlier"), anchor=False)
    for plan in plans:
        with st.container(horizontal=True, vertical_alignment="center", key=f"plan-{plan.id}"):
            variants = " · ".join(variant.name for variant in plan.variants)
            line = t("evaluation.line", questions=f"{len(plan.questions):,}", arms=variants)
            state = "" if plan.is_complete else t("evaluation.interrupted", done=plan.done, total=plan.total)
            st.html(html_blocks.card(plan.name, line, state))
            if plan.is_complete:
                st.button(t("evaluation.open"), key=f"open-{plan.id}", on_click=partial(_go, plan.id))
            else:
                _draw_go_on(plan, plan.id)


@st.cache_resource(show_spinner=False, max_entries=4)
def _result(folder: str, plan_id: str, created: float) -> EvaluationResult:
    """A result never changes; ten thousand answers need not be read at every click."""
    return _store().result(plan_id)


def _draw_one(plan_id: str) -> None:
    st.button(
        t("evaluation.back"),
        key="all-evaluations",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=partial(_go, None),
    )
    try:
        plan = _store().get(plan_id)
        result = _result(str(_store().folder), plan_id, plan.created)
    except CompareError as error:
        st.warning(notices.sentence(error), icon=":material/info:")
        return
    draw_result(plan.name, result)
    if st.button(t("evaluation.delete"), icon=":material/delete:", type="tertiary", key="delete-evaluation"):
        _store().delete(plan_id)
        _go(None)
        st.rerun()
