"""Patterns of English sentences, each with its question and its answer: the table that `facts.py` matches."""

NUMBER = (
    r"(?:about |around |roughly |nearly |up to |at most |at least )?(?:[€$£¥]\s?)?(?:\d[\d.,]*|(?:twenty|"
    r"thirty|forty|"
    r"fifty|sixty|seventy|eighty|ninety)(?:-\w+)?|(?:one|two|three|four|five|six|seven|eight|nine|"
    r"ten|eleven|"
    r"twelve|a)(?: (?:hundred|thousand|million))|one|two|three|four|five|six|seven|eight|nine|ten|eleven|"
    r"twelve|\w+teen(?: (?:hundred|thousand|million))?|half an?|an?(?= (?:hour|minute|day|week|"
    r"month|year)))"
)
_COLOUR = (
    r"(?:(?:light|dark|deep|bright|pale) )?(?:red|green|blue|yellow|black|white|grey|gray|brown|orange|"
    r"purple|pink|"
    r"violet|teal|ivory|silver|gold|golden|turquoise|beige|mulberry|maroon|navy|crimson)"
)
ROLE = (
    r"(?:\w+ )*(?:director|boss|manager|head|founder|officer|president|chair|chairman|chairwoman|leader|"
    r"lead|teacher|"
    r"doctor|wife|husband|partner|son|daughter|brother|sister|mother|father|friend|neighbour|neighbor|"
    r"colleague|"
    r"secretary|assistant|owner|author|inventor|captain|coach|mayor|minister|king|queen|supervisor|mentor|"
    r"contact|"
    r"chief|CEO|CTO|CFO|engineer|editor|treasurer|professor|landlord|presenter|curator|conductor|"
    r"guy|girl|intern|hire|trainee|apprentice|lodger|tenant|dentist|vet|plumber|electrician|lawyer|"
    r"accountant|"
    r"gardener|cook|chef|baker|pilot|driver|nurse|judge|trainer|designer|builder|architect|painter|"
    r"\w+(?:master|mistress|keeper|maker|man|woman|person)|(?:harbour|station|choir|head)[ -]master)"
)
_BE = r"(?P<be>is|are|was|were|am)"
TIME = (
    r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|January|February|March|April|May|June|July|August|"
    r"September|"
    r"October|November|December|\d{1,2}(?:st|nd|rd|th)? (?:of )?(?:January|February|March|April|May|June|"
    r"July|August|"
    r"September|October|November|December)|spring|summer|autumn|winter|noon|midnight|\d{1,2}(?::\d\d|"
    r"\s?[ap]m| o['’]clock)|"
    r"the \d{1,2}(?:st|nd|rd|th)|(?:1[0-9]|20)\d\d)"
)
_PLACE = r"(?:in|at|on|near|under|behind|beside|above|below|inside|next to|opposite|between|outside)"
_WITHIN = r"(?P<p>with|for|as|to|(?:on|in|at|from)(?= \d))"

# Pattern of a sentence → question, answer. Fields: the groups; {do} agrees with {v}, {vb} is its base form.
# Where several patterns match a sentence, the first one counts.
ENGLISH: tuple[tuple[str, str, str], ...] = (
    (
        rf"there (?P<be>are|were) (?P<y>(?P<k>{NUMBER}) (?P<x>[a-z][\w -]*?))(?P<rest> (?:in|on|at|"
        rf"of us|per|behind|near) .+)?",
        "how many {x} {be} there{rest}",
        "{y}",
    ),
    (
        r"there (?P<be>is|are|was) (?P<x>(?:an?|some) [\w -]+?) (?P<y>(?:in|on|at|near|behind|"
        r"under|next to|opposite) .+)",
        "where {be} there {x}",
        "{y}",
    ),
    (rf"(?P<x>.+?) {_BE} (?:called|named|known as) (?P<y>.+)", "what {be} {x} called", "{y}"),
    (r"(?P<x>.+?) (?P<be>was|were) born in (?P<y>\d{4})", "when {be} {x} born", "{y}"),
    (r"(?P<x>.+?) (?P<be>was|were) born (?P<p>in|at) (?P<y>.+)", "where {be} {x} born", "{p} {y}"),
    (
        rf"(?P<x>.+?) {_BE} (?P<v>\w+ed|built|made|born|sold|won) in (?P<y>(?:the )?(?:\w+ )?(?:1[0-9]|"
        rf"20)\d\ds?)(?: by .+|,.*)?",
        "when {be} {x} {v}",
        "{y}",
    ),
    (
        rf"(?P<x>.+?) (?P<m>must|should|may|can|is|are) (?P<v>(?:be |only be )?\w+) within (?P<y>{NUMBER} "
        rf"(?P<n>\w+))(?:,? .+)?",
        "within how many {n} {m} {x} {v}",
        "{y}",
    ),
    (r"(?P<x>.+?) (?P<v>means?) (?:that )?(?P<y>.+)", "what {do} {x} {vb}", "{y}"),
    (
        r"(?P<x>.+?) (?P<be>was|were) (?P<v>\w+ed|built|made|led|won) (?:in \d{4} )?by "
        r"(?P<y>(?:the |our |my )?[A-Z].+)",
        "who {v} {x}",
        "{y}",
    ),
    (
        r"(?P<x>.+?) (?P<be>is|are|was|were) (?P<v>\w+ed|led|run|built|made|sold|held|drawn|written|given|"
        r"chosen|known|taken|driven|grown|spoken|sung|worn) by (?P<y>(?:the |our |my )?[A-Z].+)",
        "by whom {be} {x} {v}",
        "{y}",
    ),
    (
        rf"(?P<x>.+?) {_BE} (?P<v>open|closed|available) (?P<y>from .+ (?:to|until|till) .+)",
        "when {be} {x} {v}",
        "{y}",
    ),
    (r"call (?P<x>me) (?P<y>[A-Z][\w-]+)", "what should you call {x}", "{y}"),
    (rf"(?P<x>.+?) {_BE} made (?P<p>of|from) (?P<y>.+)", "what {be} {x} made {p}", "{y}"),
    (
        rf"(?P<x>.+?) (?P<m>must|should|may|can|is|are) (?P<v>(?:be |only )?\w+(?: \w+)?) (?P<y>every "
        rf"{NUMBER} \w+|every \w+|once an? \w+|twice an? \w+)",
        "how often {m} {x} {v}",
        "{y}",
    ),
    (
        rf"(?P<x>.+?) (?P<v>\w+s) (?P<o>(?:\w+ ){{0,4}})(?P<y>every {NUMBER} \w+|every \w+|once an? \w+|"
        rf"twice an? \w+)",
        "how often {do} {x} {vb} {o}",
        "{y}",
    ),
    (rf"(?P<x>.+?) (?P<v>weighs?|costs?) (?P<y>{NUMBER} .+|{NUMBER})", "how much {do} {x} {vb}", "{y}"),
    (
        rf"(?P<x>.+?) (?P<v>lasts?|takes?|runs?|works?|flies|fly|burns?|sleeps?|keeps?) (?:for "
        rf")?(?P<y>{NUMBER} (?:second|minute|hour|day|week|month|year)s?)(?P<rest>(?: (?:on|with|at|in|"
        rf"per|without) .+)?)",
        "how long {do} {x} {vb}{rest}",
        "{y}",
    ),
    (
        rf"(?P<x>.+?) (?P<v>has|have) an? (?P<n>[\w ]+?) of (?P<y>{NUMBER}.*)",
        "what {n} {do} {x} {vb}",
        "{y}",
    ),
    (
        r"(?P<x>.+?) (?P<v>has|have) the (?P<n>[a-z]+) (?P<y>\S*[A-Z0-9]\S*(?: \S+){0,2})",
        "what {n} {do} {x} {vb}",
        "{y}",
    ),
    (
        rf"(?P<x>.+?) (?P<v>reach|reaches|flies|fly|travels?|goes|go|drives?|swims?|sees?|throws?) "
        rf"(?P<y>{NUMBER} (?:kilomet|met|mile|centimet|feet|foot|yard|km|m\b|nautical)[\w ]*)",
        "how far {do} {x} {vb}",
        "{y}",
    ),
    (
        rf"(?P<x>.+?) (?P<v>has|have|employs?|holds?|contains?|seats?|fits?|carries|carry|owns?|offers?|"
        rf"speaks?|needs?|uses?|sells?|makes?|serves?|"
        rf"knows?) (?P<y>(?P<k>{NUMBER}) (?P<n>\w+))(?P<rest>.*)",
        "how many {n}{rest} {do} {x} {vb}",
        "{y}",
    ),
    (
        rf"(?P<x>.+?) (?P<v>exports?|sells?|delivers?|ships?) to (?P<y>(?P<k>{NUMBER}) (?P<n>\w+))",
        "how many {n} {do} {x} {vb} to",
        "{y}",
    ),
    (
        rf"(?P<y>(?P<k>{NUMBER}) (?P<n>people|employees|persons|members|students|children|engineers)) "
        rf"(?P<v>\w+ .+)",
        "how many {n} {v}",
        "{y}",
    ),
    (
        rf"(?P<x>.+?) (?P<v>lives?|works?|stands?|lies?|hangs?|sits?|stays?|grows?) (?P<p>{_PLACE}) "
        rf"(?P<y>.+)",
        "where {do} {x} {vb}",
        "{p} {y}",
    ),
    (
        rf"(?P<x>.+?) {_BE} (?P<v>located|based|situated|kept|stored|assembled|produced|made|hidden|parked|"
        rf"buried) (?P<p>{_PLACE}) (?P<y>.+)",
        "where {be} {x} {v}",
        "{p} {y}",
    ),
    (
        rf"(?P<x>.+?) (?P<v>starts?|begins?|opens?|closes?|ends?|leaves?|departs?|arrives?|meets?|meet) "
        rf"(?P<p>at|on|in) (?P<y>{TIME}.*)",
        "when {do} {x} {vb}",
        "{p} {y}",
    ),
    (
        rf"(?P<x>.+?) (?P<v>takes?) place (?P<p>at|on|in) (?P<y>{TIME}.*)",
        "when {do} {x} take place",
        "{p} {y}",
    ),
    (
        rf"(?P<x>.+?) {_BE} (?P<v>served|held|given|paid|published|closed|open|due|collected|delivered) "
        rf"(?P<p>at|on|in) (?P<y>{TIME}.*)",
        "when {be} {x} {v}",
        "{p} {y}",
    ),
    (r"(?P<x>.+?) (?:came|comes|come) from (?P<y>.+)", "where did {x} come from", "{y}"),
    (r"(?P<x>.+?) won (?P<y>.+)", "what did {x} win", "{y}"),
    (r"(?P<x>.+?) (?:joined|joins) (?P<y>.+)", "what did {x} join", "{y}"),
    (
        rf"(?P<x>.+?) {_BE} (?P<v>\w+ed|done|built|sold|made) (?P<p>in|at|on) (?P<y>(?:the "
        rf")?[A-Z][\w-]+(?: [A-Z][\w-]+)*)",
        "where {be} {x} {v}",
        "{p} {y}",
    ),
    (rf"(?P<x>.+?) {_BE} (?P<p>on|at|in) (?P<y>{TIME}.*)", "when {be} {x}", "{p} {y}"),
    (
        rf"(?P<x>(?:my|our|his|her|their|your|the|\w+['’]s) (?:name))s? {_BE} (?P<y>.+)",
        "what {be} {x}",
        "{y}",
    ),
    (
        rf"(?P<x>(?:the|my|our|his|her|their|your|.+?['’]s) {ROLE}(?: (?:of|for|at) .+?)?) (?P<be>is|was) "
        rf"(?P<y>(?:[A-Z][\w.'’-]*)(?: [\w.'’-]+){{0,3}})(?:,.*)?",
        "who {be} {x}",
        "{y}",
    ),
    (
        rf"(?P<y>[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){{0,3}}) (?P<be>is|was) (?P<x>(?:the|my|our|his|her|"
        rf"their|your) {ROLE}(?: (?:of|for|at|in) .+)?)",
        "who {be} {x}",
        "{y}",
    ),
    (
        rf"(?P<x>.+?) {_BE} (?P<y>{NUMBER}(?: \w+){{1,2}}) (?P<a>old|tall|high|long|wide|deep|thick|away)",
        "how {a} {be} {x}",
        "{y}",
    ),
    (
        rf"(?P<x>.+?) (?P<m>must|should|can|may) be (?P<y>(?:at least |at most |up to )?{NUMBER} \w+) "
        r"(?P<a>old|tall|high|long|wide|deep|thick)",
        "how {a} {m} {x} be",
        "{y}",
    ),
    (
        rf"(?P<x>.+?) (?P<be>is|was) (?P<y>{NUMBER} (?:second|minute|hour|day|week|month|year)s?)",
        "how long {be} {x}",
        "{y}",
    ),
    (rf"(?P<x>(?:(?!colou?r).)+?) {_BE} (?P<y>(?P<colour>{_COLOUR}))", "what colour {be} {x}", "{y}"),
    (rf"(?P<x>.+?) {_BE} allergic to (?P<y>.+)", "what {be} {x} allergic to", "{y}"),
    (rf"(?P<x>.+?) {_BE} from (?P<y>[A-Z].*)", "where {be} {x} from", "{y}"),
    (rf"(?P<x>.+?) {_BE} (?P<p>{_PLACE}) (?P<y>.+)", "where {be} {x}", "{p} {y}"),
    (
        rf"(?P<x>.+?) {_BE} (?P<v>\w+ed|fed|lit|driven|kept) {_WITHIN} (?P<y>.+)",
        "what {be} {x} {v} {p}",
        "{y}",
    ),
    (
        rf"(?P<x>(?:the|my|our|his|her|their|your) .+? (?:of|for|on|in|at|to) .+?|the (?:first|last|latest|"
        rf"largest|biggest|best|new|current|standard|main|only|next|default|favou?rite) .+?|(?:my|our|his|"
        rf"her|their|your) .+?|.+?(?:['’]s|s['’]) .+?) {_BE} (?P<y>.+)",
        "what {be} {x}",
        "{y}",
    ),
    (
        r"(?P<y>[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){0,3}) (?P<be>is|was) (?P<x>(?:the|my|our|his|her|their|"
        r"your) .+)",
        "what {be} {x}",
        "{y}",
    ),
    (
        r"(?P<x>(?:the )?[A-Z][\w-]*(?: [A-Z][\w-]*){0,3}) (?P<be>is|was) (?P<y>an? .+)",
        "what {be} {x}",
        "{y}",
    ),
)
