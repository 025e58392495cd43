"""Exercises on tables, as the readers of documents write them: a row a line, each value after its column's name."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.skills.inventing import Language, person, place, subject
from benchmarks.skills.tasks import Task, read, refuse

_ROWS = (3, 6)  # at least, at most
_REFUSED = 0.25  # share of the questions, about a row that is not there


@dataclass(frozen=True)
class Kind:
    """A table of two or three columns: what its rows are called, what they say, and how one asks for a row."""

    columns: tuple[tuple[str, str], ...]  # names of the two columns that matter, of which one pair is drawn
    keys: Callable[[random.Random], str]
    values: Callable[[random.Random], str]
    questions: tuple[str, ...]  # {k} the row, {s} what the table is about
    beside: tuple[tuple[str, Callable[[random.Random], str]], ...] = ()  # further columns


def table_group(language: Language, size: int, rng: random.Random) -> list[Task]:
    """Questions on one table, beside a second one: most ask for a row, the others for a row that is not there."""
    kind, other = rng.sample(KINDS[language], 2)
    about = subject(language, rng)
    rows, absent = _rows(kind, rng)
    lines = _rendered(kind, rows, rng)
    beside = _rendered(other, _rows(other, rng)[0][: rng.randint(1, 2)], rng)
    caption = [_caption(language, about, rng)] if rng.random() < 0.5 else []
    told = _passages(caption, lines, beside, rng)
    asked = []
    for _ in range(size):
        question = rng.choice(kind.questions)
        if rng.random() < _REFUSED:
            asked.append(refuse(told, _filled(question, absent, about)))
        else:
            key, value = rng.choice(rows)
            asked.append(read(told, _filled(question, key, about), (value,)))
    return list({task.prompt: task for task in asked}.values())


def table_passages(language: Language, rng: random.Random) -> list[str]:
    """Rows of a table in which nobody has anything to look for."""
    kind = rng.choice(KINDS[language])
    return _rendered(kind, _rows(kind, rng)[0], rng)


def _rows(kind: Kind, rng: random.Random) -> tuple[list[tuple[str, str]], str]:
    """Rows with unlike keys and unlike values, and a key that is in none."""
    wanted = rng.randint(*_ROWS)
    keys: dict[str, None] = {}
    values: dict[str, None] = {}
    while len(keys) <= wanted:
        keys[kind.keys(rng)] = None
    while len(values) < wanted:
        values[kind.values(rng)] = None
    *present, absent = keys
    return list(zip(present, values, strict=True)), absent


def _rendered(kind: Kind, rows: Sequence[tuple[str, str]], rng: random.Random) -> list[str]:
    """A row a line: "Code: F12; Meaning: lid open"."""
    names = rng.choice(kind.columns)
    snake = rng.random() < 0.3
    more = [one for one in kind.beside if rng.random() < 0.6]
    lines = []
    for key, value in rows:
        cells = [(names[0], key), (names[1], value), *((name, make(rng)) for name, make in more)]
        lines.append("; ".join(f"{_column(name, snake)}: {text}" for name, text in cells))
    return lines


def _column(name: str, snake: bool) -> str:
    return name.lower().replace(" ", "_") if snake else name


def _passages(
    caption: Sequence[str], rows: Sequence[str], beside: Sequence[str], rng: random.Random
) -> list[str]:
    """Each row a passage, or neighbours in one passage."""
    together = rng.random() < 0.5
    passages = [" ".join([*caption, *rows]), " ".join(beside)] if together else [*caption, *rows, *beside]
    return rng.sample(passages, len(passages))


def _filled(question: str, key: str, about: str) -> str:
    text = question.replace("{k}", key).replace("{s}", about)
    return text[0].upper() + text[1:]


def _caption(language: Language, about: str, rng: random.Random) -> str:
    if language == "zh":
        return rng.choice(["{s}一览", "{s}：明细表", "以下内容适用于{s}。"]).replace("{s}", about)
    text = rng.choice(["Table for {s}", "Overview: {s}", "The following holds for {s}."])
    return text.replace("{s}", about)


def _one_of(*choices: str) -> Callable[[random.Random], str]:
    return lambda rng: rng.choice(choices)


def _number(low: int, high: int, form: str = "{}") -> Callable[[random.Random], str]:
    return lambda rng: form.replace("{}", str(rng.randint(low, high)))


def _code(rng: random.Random) -> str:
    letters = "".join(rng.sample("ABCDFGHJKLMPRSTUVW", rng.choice((1, 2))))
    return f"{letters}{rng.choice(('', '-'))}{rng.randint(10, 990)}"


def _hours(rng: random.Random) -> str:
    opens, closes = rng.choice(("00", "30", "15")), rng.choice(("00", "30", "45"))
    return f"{rng.randint(6, 11)}:{opens} to {rng.randint(12, 21)}:{closes}"


def _hours_zh(rng: random.Random) -> str:
    return (
        f"{rng.randint(6, 11)}:{rng.choice(('00', '30'))}至{rng.randint(12, 21)}:{rng.choice(('00', '30'))}"
    )


KINDS: dict[Language, tuple[Kind, ...]] = {
    "en": (
        Kind(
            (("Code", "Meaning"), ("Error", "Cause"), ("Display", "What it means")),
            _code,
            _one_of(
                "lid open", "oil too low", "fan blocked", "memory full", "card not readable", "motor too hot",
                "no water", "paper jam", "wrong voltage", "key missing", "filter clogged", "belt torn",
            ),
            (
                "What does {k} mean?", "{s} shows {k}. What is wrong?", "What is the matter at {k}?",
                "My display says {k}. Why?", "Which fault does {k} stand for?",
            ),
            (("Remedy", _one_of("call the workshop", "restart", "wait ten minutes", "press the red key")),),
        ),
        Kind(
            (("Signal", "Meaning"), ("What you hear", "What it says")),
            _one_of(
                "two short beeps", "one long tone", "a steady green light", "four red flashes", "a ticking noise",
                "a yellow light", "five beeps", "a low hum",
            ),
            _one_of(
                "warming up", "battery nearly empty", "door not shut", "update running", "ready", "too cold",
                "tank empty", "job finished", "somebody at the door",
            ),
            (
                "What does {k} tell me?", "{s} gives {k}. What is going on?", "Why is there {k}?",
                "I notice {k} on {s}. What is that?",
            ),
        ),
        Kind(
            (("Day", "Open"), ("Day", "Hours"), ("When", "Opening hours")),
            _one_of("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
            _hours,
            (
                "When is {s} open on {k}?", "What are the hours of {s} on {k}?",
                "At what times can I come to {s} on a {k}?", "How long is {s} open on {k}?",
            ),
        ),
        Kind(
            (("Item", "Price"), ("Product", "Price in euros"), ("Article", "Costs")),
            _one_of(
                "spare wheel", "lamp shade", "carrying bag", "rubber ring", "wall hook", "rain cover", "glass lid",
                "drip tray", "power cord", "oak stand", "cleaning set", "measuring cup",
            ),
            _number(3, 240, "{} euros"),
            (
                "How much is the {k}?", "What does a {k} cost?", "What would I pay for the {k}?",
                "I need a new {k}: how much money is that?",
            ),
            (("Article number", _code), ("Weight in grams", _number(20, 900))),
        ),
        Kind(
            (("Part", "Article number"), ("Name", "Order code")),
            _one_of(
                "gasket", "hinge", "fuse", "spring", "handle", "nozzle", "drive belt", "knob", "bulb", "valve", "cap",
            ),
            _code,
            (
                "What is the number of the {k}?", "Under which code do I order the {k}?",
                "Which code belongs to the {k}?", "How do I order a {k}: what is its code?",
            ),
            (("Delivery days", _number(1, 12)), ("Material", _one_of("steel", "brass", "rubber", "oak"))),
        ),
        Kind(
            (("Task", "Person"), ("Area", "In charge"), ("For", "Contact")),
            _one_of(
                "complaints", "deliveries", "lost property", "the archive", "guided tours", "invoices", "the garden",
                "new members", "safety", "the kitchen",
            ),
            lambda rng: person("en", rng),
            (
                "Who looks after {k}?", "Whom do I ask about {k}?", "Who is in charge of {k} at {s}?",
                "I have a question about {k}. Who can help?",
            ),
            (("Room", _number(2, 88)), ("Extension", _number(100, 990))),
        ),
        Kind(
            (("Part", "Interval"), ("What", "How often"), ("Maintenance of", "Due")),
            _one_of("brushes", "chain", "cooling water", "seals", "ropes", "bearing", "lens", "battery", "tyres"),
            _one_of(
                "every week", "twice a year", "every 40 days", "once a month", "every two years", "every 15 months",
                "each spring", "every 600 hours",
            ),
            (
                "How often must the {k} be looked after?", "When is it time for the {k} again?",
                "At what interval does {s} need work on the {k}?", "How often do I have to see to the {k}?",
            ),
            (("Means", _one_of("soft cloth", "grease", "warm water", "a brush")),),
        ),
        Kind(
            (("Property", "Value"), ("Feature", "Data"), ("Quantity", "Measured")),
            _one_of("Height", "Width", "Weight", "Depth", "Top speed", "Range", "Power", "Volume", "Cable length"),
            lambda rng: f"{rng.randint(2, 980)} {rng.choice(('units', 'millimetres', 'kilograms', 'watts', 'litres'))}",
            (
                "What is the {k} of {s}?", "Which {k} does {s} have?", "Please state the {k}.",
                "How is the {k} given for {s}?",
            ),
        ),
        Kind(
            (("Place", "Distance"), ("Destination", "Travel time"), ("Stop", "Minutes from here")),
            lambda rng: place("en", rng),
            _one_of(
                "12 minutes", "35 minutes", "4 kilometres", "two hours", "19 kilometres", "50 minutes", "3 hours",
                "8 minutes", "27 kilometres",
            ),
            ("How far is {k}?", "How far away is {k} from {s}?", "What stands there for {k}?"),
            (("Platform", _number(1, 14)),),
        ),
    ),
    "zh": (
        Kind(
            (("代码", "含义"), ("错误", "原因"), ("显示", "说明")),
            _code,
            _one_of("盖子未关", "油量不足", "风扇受阻", "内存已满", "电机过热", "缺水", "电压不符", "滤网堵塞"),
            ("{k}是什么意思？", "{s}显示{k}，是怎么回事？", "屏幕上出现{k}，出了什么问题？", "{k}代表什么故障？"),
            (("处理", _one_of("联系维修", "重新启动", "等十分钟", "按红色按键")),),
        ),
        Kind(
            (("日期", "开放时间"), ("星期", "营业时间")),
            _one_of("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
            _hours_zh,
            ("{s}{k}几点开放？", "{k}什么时间可以去{s}？", "{s}在{k}的开放时间是什么？"),
        ),
        Kind(
            (("物品", "价格"), ("商品", "单价")),
            _one_of("备用轮", "灯罩", "手提袋", "橡胶圈", "挂钩", "防雨罩", "玻璃盖", "接水盘", "电源线", "清洁套装"),
            _number(3, 480, "{}元"),
            ("{k}多少钱？", "买一个{k}要花多少钱？", "{k}怎么卖？", "{k}的价格是多少？"),
            (("货号", _code), ("重量（克）", _number(20, 900))),
        ),
        Kind(
            (("零件", "货号"), ("名称", "订货代码")),
            _one_of("垫圈", "铰链", "保险丝", "弹簧", "把手", "喷嘴", "旋钮", "灯泡", "阀门"),
            _code,
            ("{k}的货号是什么？", "订购{k}要报什么代码？", "哪个代码是{k}的？"),
            (("交货天数", _number(1, 12)),),
        ),
        Kind(
            (("事务", "负责人"), ("方面", "联系人")),
            _one_of("投诉", "送货", "失物招领", "档案", "参观", "发票", "花园", "新会员", "安全", "厨房"),
            lambda rng: person("zh", rng),
            ("{k}归谁管？", "{k}的事情找谁？", "{s}负责{k}的是谁？", "关于{k}我该问谁？"),
            (("房间", _number(2, 88)),),
        ),
        Kind(
            (("项目", "数值"), ("性能", "参数")),
            _one_of("高度", "宽度", "重量", "最高速度", "功率", "容积", "线长", "续航"),
            lambda rng: f"{rng.randint(2, 980)}{rng.choice(('毫米', '公斤', '瓦', '升', '小时'))}",
            ("{s}的{k}是多少？", "{k}是多少？", "请说明{s}的{k}。"),
        ),
    ),
}  # fmt: skip
