"""Patterns of questions in English and Chinese, each with other wordings: the tables of `paraphrase.py`."""

AUX = r"(?P<aux>does|do|did|can|could|will|would|must|should|may)"
BE = r"(?P<be>is|are|was|were)"
# Words after the verb that belong to it.
REST = r"(?P<rest>(?: (?:in|at|on|for|to|a|per|each|from|with|of|about|after|before|when|if)\b.*)?)"

NOUN_OF = {
    "heavy": "weight",
    "long": "length",
    "tall": "height",
    "high": "height",
    "wide": "width",
    "deep": "depth",
    "fast": "speed",
    "old": "age",
    "big": "size",
    "large": "size",
    "expensive": "price",
    "thick": "thickness",
    "strong": "strength",
}
ACT_OF = {
    "founded": "founding",
    "established": "establishment",
    "built": "construction",
    "constructed": "construction",
    "opened": "opening",
    "invented": "invention",
    "released": "release",
    "launched": "launch",
    "born": "birth",
    "published": "publication",
    "discovered": "discovery",
}
SYNONYM_OF = {
    "founded": "established",
    "established": "founded",
    "built": "constructed",
    "constructed": "built",
    "located": "situated",
    "begin": "start",
    "start": "begin",
    "begins": "starts",
    "starts": "begins",
    "buy": "purchase",
    "maximum": "highest",
    "minimum": "lowest",
    "director": "head",
    "kept": "stored",
    "stored": "kept",
    "employees": "members of staff",
    "staff": "employees",
}

# A question's form, and others that ask the same. A template is skipped where one of its fields is unknown.
# Fields besides the groups: {noun} of an adjective, {vp} participle and {act} noun of {v}, {s} its form
# that agrees with {aux}, {when} a phrase of time that suits the answer.
ENGLISH: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        rf"how heavy {BE} (?P<x>.+)",
        ("what {be} the weight of {x}", "what weight {has} {x} have", "how much {has} {x} weigh"),
    ),
    (
        rf"(?:how much|what) {AUX} (?P<x>.+?) weigh",
        ("how heavy {is_} {x}", "what is the weight of {x}", "what weight {aux} {x} have"),
    ),
    (
        rf"(?:how much|what) {AUX} (?P<x>.+?) cost(?P<rest>.*)",
        (
            "what is the price of {x}{rest}",
            "how expensive {is_} {x}{rest}",
            "what must one pay for {x}{rest}",
        ),
    ),
    (
        rf"how (?P<adj>{'|'.join(NOUN_OF)}) {BE} (?P<x>.+)",
        ("what {be} the {noun} of {x}", "what {noun} {has} {x} have", "of what {noun} {be} {x}"),
    ),
    (
        rf"how long {AUX} (?P<x>.+?) (?:take|last)(?P<rest>.*)",
        ("what is the duration of {x}{rest}", "how much time {aux} {x} take{rest}"),
    ),
    (
        rf"how long {AUX} (?P<x>.+)",
        ("for how long {aux} {x}", "what length of time {aux} {x}", "for what period {aux} {x}"),
    ),
    (
        rf"how far {AUX} (?P<x>.+)",
        ("what distance {aux} {x}", "up to what distance {aux} {x}", "over what range {aux} {x}"),
    ),
    (
        rf"how often {AUX} (?P<x>.+)",
        ("at what intervals {aux} {x}", "how frequently {aux} {x}", "how regularly {aux} {x}"),
    ),
    (
        rf"how often {BE} (?P<x>.+)",
        ("at what intervals {be} {x}", "how frequently {be} {x}", "how regularly {be} {x}"),
    ),
    (
        r"how many (?P<n>.+?) are there(?P<rest>.*)",
        ("what is the number of {n}{rest}", "what number of {n} is there{rest}"),
    ),
    (
        rf"how many (?P<n>.+?) {AUX} (?P<x>.+?) (?P<v>\w+){REST}",
        ("what is the number of {n} that {x} {s}{rest}", "what number of {n} {aux} {x} {v}{rest}"),
    ),
    (
        r"how many (?P<n>\w+) (?P<x>.+)",
        ("what number of {n} {x}", "what is the number of {n} that {x}"),
    ),
    (
        rf"what {BE} (?P<x>.+) (?:called|named)",
        ("what {be} the name of {x}", "what name {has} {x} have", "by what name {be} {x} known"),
    ),
    (
        rf"what {BE} the name of (?P<x>.+)",
        ("what {be} {x} called", "what name {has} {x} have", "by what name {be} {x} known"),
    ),
    (
        rf"(?:what|which) colou?r {BE} (?P<x>.+)",
        ("what {be} the colour of {x}", "in what colour does one find {x}", "what colour {has} {x} have"),
    ),
    (
        rf"(?:what|which) (?P<n>[\w -]+?) {AUX} (?P<x>.+?) have",
        ("what is the {n} of {x}", "{x} {s_have} what {n}", "what is the {n} that {x} {s_have}"),
    ),
    (
        rf"what {BE} (?P<x>.+) made (?:of|from|out of)",
        ("what material {be} {x} made of", "of what {be} {x} made", "which material was used for {x}"),
    ),
    (
        rf"what {BE} (?P<x>.+) (?P<v>\w+ed|built|kept|made|fed|lit|run) (?P<p>with|from|for|in|by|on|at)",
        ("{p} what {be} {x} {v}", "what is it that {x} {be} {v} {p}", "{x} {be} {v} {p} what"),
    ),
    (
        rf"what {BE} the (?P<n>[\w -]+?) (?P<of>of|for) (?P<x>.+)",
        (
            "what {n} {has} {x} have",
            "{x} {has_v} what {n}",
            "which {be} the {n} {of} {x}",
            "the {n} {of} {x} {be} what",
        ),
    ),
    (
        rf"what {BE} (?P<x>(?:the |my |our |your |his |her |their )?[\w -]+)['’]s (?P<n>[\w -]+)",
        ("what {be} the {n} of {x}", "what {n} {has} {x} have", "{x} {has_v} what {n}"),
    ),
    (
        rf"where {BE} (?P<x>.+?) "
        r"(?P<v>located|based|situated|built|made|kept|stored|held|assembled|produced|sold)",
        (
            "in what place {be} {x} {v}",
            "at which location {be} {x} {v}",
            "what is the place where {x} {be} {v}",
        ),
    ),
    (
        r"where (?P<be>is|are) (?P<x>.+)",
        ("what is the location of {x}", "where can one find {x}", "in what place {be} {x}"),
    ),
    (
        rf"where {AUX} (?P<x>.+?) (?P<v>\w+){REST}",
        (
            "in what place {aux} {x} {v}{rest}",
            "at which location {aux} {x} {v}{rest}",
            "what is the place where {x} {s}{rest}",
        ),
    ),
    (
        rf"when {BE} (?P<x>.+?) (?P<v>{'|'.join(ACT_OF)})(?P<rest>.*)",
        (
            "{when} {be} {x} {v}{rest}",
            "when did the {act} of {x} take place{rest}",
            "what was the time of the {act} of {x}{rest}",
        ),
    ),
    (
        rf"when {BE} (?P<x>.+)",
        ("{when} {be} {x}", "at what point in time {be} {x}"),
    ),
    (rf"when {AUX} (?P<x>.+)", ("{when} {aux} {x}", "at what point in time {aux} {x}")),
    (
        r"who (?P<be>is|are|was|were) (?P<x>the .+|my .+|our .+|.+['’]s .+)",
        ("what {be} the name of {x}", "which person {be} {x}", "{x} {be} who"),
    ),
    (
        r"who (?P<be>is|are|was|were) (?P<x>.+)",
        ("what do you know about {x}", "which person {be} {x}", "{x} {be} who"),
    ),
    (
        r"who (?P<v>\w+) (?P<x>(?:the |a |an |our |my |your |[A-Z]).*)",
        (
            "by whom {wasis} {x} {vp}",
            "which person {v} {x}",
            "{x} {wasis} {vp} by whom",
            "what is the name of the person who {v} {x}",
        ),
    ),
    (r"who (?P<v>\w+) (?P<x>.+)", ("which person {v} {x}", "what is the name of the person who {v} {x}")),
    (
        rf"(?P<p>in|on|at|for|from|with|to|by|under|of) (?:what|which) (?P<n>.+?) {AUX} (?P<x>.+)",
        ("which {n} {aux} {x} {p}", "what is the {n} that {x_statement} {p}"),
    ),
    (
        rf"(?P<p>in|on|at|for|from|with|to|by|under|of) (?:what|which) (?P<n>.+?) {BE} (?P<x>.+)",
        ("which {n} {be} {x} {p}",),
    ),
    (
        rf"what {AUX} (?P<x>.+?) (?P<v>\w+){REST}",
        (
            "what is it that {x} {s}{rest}",
            "what thing {aux} {x} {v}{rest}",
            "which thing is it that {x} {s}{rest}",
        ),
    ),
    (
        r"(?:which|what) (?P<n>\w+) (?P<v>(?!(?:is|was|does|has)\b)\w+s) (?P<x>.+)",
        ("what is the {n} that {v} {x}", "which is the {n} that {v} {x}"),
    ),
    (rf"what {BE} (?P<x>.+)", ("{x} {be} what", "which thing {be} {x}")),
    (rf"why {AUX} (?P<x>.+)", ("for what reason {aux} {x}", "what is the reason why {x_statement}")),
    (rf"why {BE} (?P<x>.+)", ("for what reason {be} {x}",)),
    (rf"how {AUX} (?P<x>.+)", ("in what way {aux} {x}", "by what means {aux} {x}")),
)

CHINESE: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(?P<x>.+?)(?:有多重|重多少|的重量是多少|多重)", ("{x}的重量是多少", "{x}有多重", "{x}重多少")),
    (r"(?P<x>.+?)有?多(?P<adj>[长高宽深厚])", ("{x}的{adj}度是多少", "{x}{adj}多少", "{x}有多{adj}")),
    (r"(?P<x>.+?)有?多快", ("{x}的速度是多少", "{x}能达到什么速度")),
    (r"(?P<x>.+?)有?多大", ("{x}的大小是多少", "{x}的尺寸是多少")),
    (r"(?P<x>.+?)(?:卖|要|需要|值)?多少钱", ("{x}的价格是多少", "买{x}要花多少钱", "{x}售价多少")),
    (r"(?P<x>.+?)的价格是(?:多少|什么)", ("{x}多少钱", "买{x}要花多少钱", "{x}售价多少")),
    (r"(?P<x>.+?)叫(?:什么(?:名字)?|做什么)", ("{x}的名字是什么", "{x}的名称是什么", "人们怎么称呼{x}")),
    (r"(?P<x>.+?)的名[字称]是什么", ("{x}叫什么", "{x}叫做什么", "人们怎么称呼{x}")),
    (
        r"(?P<x>.+?)(?:位于|在)(?:哪里|哪儿|什么地方|何处)",
        ("{x}位于什么地方", "{x}的位置在哪儿", "在哪里可以找到{x}"),
    ),
    (
        r"(?P<x>.+?)(?:搬|迁)到(?:了)?(?:哪里|哪儿|什么地方)了?",
        ("{x}的新地址在什么地方", "{x}现在在哪儿", "{x}迁往了何处"),
    ),
    (r"(?P<x>.+?)住在(?:哪里|哪儿|什么地方)", ("{x}的住处在哪儿", "{x}居住在什么地方", "{x}家在哪里")),
    (r"(?P<x>.+?)是什么颜色的?", ("{x}的颜色是什么", "{x}是哪种颜色的", "{x}呈什么颜色")),
    (r"(?P<x>.+?)的颜色是什么", ("{x}是什么颜色的", "{x}是哪种颜色的", "{x}呈什么颜色")),
    (
        r"(?P<x>.+?)是?(?:什么时候|何时|哪一?年)(?P<v>成立|建立|创办|创立|建成|发布|开业|出生|开始)的?",
        ("{x}的{v}时间是什么时候", "{x}何时{v}", "{x}是在哪个时间{v}的"),
    ),
    (r"(?P<x>.+?)什么时候(?P<v>.+)", ("{x}何时{v}", "{x}在什么时间{v}", "{x}几时{v}")),
    (r"(?P<x>.+?)是由?谁(?P<v>.+?)的", ("谁{v}了{x}", "{x}由何人{v}", "{v}{x}的人是谁")),
    (
        r"谁(?P<v>创办|创立|建立|发明|设计|制造|写|领导|负责)了?(?P<x>.+)",
        ("{x}是谁{v}的", "{v}{x}的人是谁", "{x}由何人{v}"),
    ),
    (r"谁是(?P<x>.+)", ("{x}是谁", "{x}是哪一位", "{x}叫什么名字")),
    (r"(?P<x>.+?)是谁", ("谁是{x}", "{x}是哪一位", "{x}是何人")),
    (r"(?P<x>.+?)多久(?P<v>.+?)一次", ("{x}每隔多长时间{v}一次", "{x}{v}的间隔是多长", "{x}的{v}周期是多久")),
    (
        r"(?P<x>.+?)(?P<m>可以|能|能够|会)?(?P<v>连续使用|使用|用|工作|运行|持续|飞)多(?:久|长时间)",
        ("{x}能{v}多长时间", "{x}可以{v}多少个小时", "{x}{v}的时间有多长"),
    ),
    (r"(?P<x>.+?)有多少(?P<n>.+)", ("{x}的{n}有多少", "{x}一共有多少{n}", "{x}拥有的{n}数量是多少")),
    (r"(?P<x>.+?)有几(?P<n>.+)", ("{x}一共有多少{n}", "{x}有多少{n}")),
    (
        r"(?P<x>.+?)是用什么(?P<v>做|制|制造)(?:成)?的",
        ("{x}是什么材料做的", "{x}用的是什么材料", "什么材料用来{v}{x}"),
    ),
    (r"(?P<x>.+?)的(?P<n>[^的]+?)是多少", ("{x}有多少{n}", "{x}的{n}为多少", "{x}的{n}达到多少")),
    (
        r"(?P<x>.+?)的(?P<n>[^的]+?)是(?:什么|哪个|啥)",
        ("什么是{x}的{n}", "{x}的{n}是哪一个", "{x}有什么样的{n}"),
    ),
    (r"(?P<x>.+?)是什么", ("什么是{x}", "{x}是何物", "{x}指的是什么")),
    (r"(?P<x>.*?)为什么(?P<v>.+)", ("{x}为何{v}", "{x}{v}的原因是什么")),
    (r"(?P<x>.*?)(?:怎么|怎样|如何)(?P<v>.+)", ("{x}如何{v}", "{x}用什么方法{v}", "{x}怎样才能{v}")),
)
CHINESE_SYNONYMS = (
    ("多久", "多长时间"),
    ("哪里", "什么地方"),
    ("谁", "哪一位"),
    ("什么颜色", "哪种颜色"),
    ("什么材料", "哪种材料"),
)
