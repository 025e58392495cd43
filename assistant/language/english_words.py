"""English words by class, and patterns of times, amounts and people: what the clause parser knows."""

import re

from assistant.language.english_patterns import NUMBER, TIME
from assistant.language.text import word_set


def _either(text: str) -> str:
    """A pattern of the words that a text lists; "_" stands for a space."""
    return "(?:" + "|".join(text.split()).replace("_", " ") + ")"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


DETERMINERS = word_set("the a an my our his her their your its this that these those every each no some any")
PREPOSITIONS = word_set(
    "about above across after against along among around as at before behind below beneath beside between "
    "beyond by during for from in inside into like near of off on onto opposite outside over past per "
    "since through throughout to toward towards under underneath until till upon via with within without "
    "instead than"
)
PLACES = word_set(
    "in at on near behind under above below beside inside outside opposite between beneath over"
)
MODALS = word_set("must should may can will shall")
BE = word_set("is are was were am")
HAVE = word_set("has have had")
# Words that are more often nouns than verbs: "holiday requests go through …", "alerts from the station are …".
ALSO_NOUNS = word_set(
    "permit request number cost price offer order report station plan visit lead team group board post book record "
    "guide test sample form file page note name match train ship plant park bank store shop host model alert ticket "
    "part pump card check mail email door print fee tax sign light sound show talk tour trip cut pay rent charge "
    "delivery pass class course race game drink watch phone call message track bus fan filter heat water "
    "supply stock fund grant back front ground coat cover cook bake nurse doctor pilot judge chair table desk room "
    "house garden farm field mine mill dam bridge tunnel gate lock key bolt screw nail tool machine engine motor "
    "program code script query process server network cloud backup log load release version update upgrade bug "
    "fix patch branch commit merge build review design draft sketch map chart list index label tag title rate "
    "score point mark grade level rank step stage phase round turn shift break rest sleep dream sand dust"
)
PLURALS = word_set("i we you they people children women men staff police mice feet cattle")
PARTICLES = word_set("up out off down away back")
# Words that begin a subordinate clause, and so end a complement.
SUBORDINATE = word_set(
    "which who whom whose that because since so if when while where although though unless but whereas"
)
# Nouns that take what follows them along: "access to …", "a reason for …".
BINDING = word_set("support access responsibility way answer reason discount allergy")
MOVES = word_set("move relocate transfer migrate travel go ship drive walk fly export deliver send")
CHANGES = word_set("move postpone shift change reschedule switch push delay bring")
# Verbs after which the object is asked for, never the place: "we like tea in the garden".
LIKES = word_set("like love prefer hate want need dislike enjoy drink eat take use")
COMES_FROM = word_set("come ship originate leave depart import buy")
# Verbs after which "in" and "on" name no place.
ASKS_WHAT_IN = word_set(
    "write code program draw paint print bake fry wrap soak cook specialise invest believe"
)

# Verbs that keep an object in the passive: "the cat was given two bowls".
TAKES_TWO = word_set("call name elect appoint give offer pay allow grant teach tell paint send award make")
SURFACES = word_set(
    "floor hill street road island coast roof shelf table wall desk square corner side bank level deck campus server "
    "drive door fridge river lake ground board avenue lane mountain beach farm estate"
)

LANGUAGE = _compiled(
    r"\b(?:English|Dutch|Polish|German|French|Spanish|Italian|Danish|Swedish|Finnish|Czech|Greek|"
    r"Turkish|Arabic|"
    r"Hindi|Japanese|Korean|Chinese|Mandarin|Portuguese|Russian|Latin)\b"
)
# Complements that say nothing on their own.
IDIOMS = frozenset(
    [
        "at a time",
        "in any case",
        "in its place",
        "in other words",
        "in total",
        "at least",
        "in general",
        "on average",
        "by default",
        "at once",
        "in advance",
        "at all",
        "on its own",
        "by hand",
        "in person",
        "for free",
        "at first",
        "of course",
        "in particular",
        "in practice",
        "for now",
        "for good",
        "in turn",
        "by far",
        "so far",
        "in fact",
        "at work",
        "too",
        "first",
        "last",
        "again",
        "instead",
    ]
)
# What has a number or a name and is no place: "in build 318".
NUMBERED = re.compile(
    r"(?:the )?(?:build|version|release|chapter|clause|section|step|phase|round|level|issue|volume|"
    r"appendix)\b",
    re.I,
)

ADVERB = _compiled(
    r"\w{2,}ly$|"
    + _either("always also only just still now already often usually both all even then again almost")
)
_MORE_OR_LESS = _either(
    "just exactly nearly roughly just_under just_over at_least at_most up_to about around only over more_than "
    "no_more_than fewer_than less_than almost"
)
AMOUNT = rf"(?:{_MORE_OR_LESS} )*{NUMBER}"
_TIME_UNIT = _either("second minute hour day week weekend month quarter year decade night generation")
_UNIT = rf"(?:(?:working |business |calendar )?{_TIME_UNIT}s?)"
EXTENT = _compiled(
    rf"(?:{_MORE_OR_LESS} )*(?:{NUMBER}|a few|several)(?: full| whole|-)? ?{_UNIT}(?: and a half)?"
)
_PART_OF_DAY = _either("morning evening afternoon night midday lunchtime")
_SEASON = _either("spring summer autumn winter")
OFTEN = _compiled(
    rf"(?:once|twice|\w+ times)(?: an?| per| every| each) \w+"
    rf"|(?:every|each) (?:other |second |third |{NUMBER} )?(?:{_UNIT}|{_PART_OF_DAY}|{_SEASON})"
    rf"|{_either('daily weekly monthly quarterly yearly annually hourly nightly')}"
)
_SOME_DAY = _either("weekdays? weekends? midnight noon dawn dusk sunrise sunset holidays? early mid late")
_PLACE_IN_TIME = _either("first second third fourth last end start beginning middle")
WHEN = _compiled(
    rf"(?:(?:every|each|this|next|last) .*)?{TIME}.*|(?:the )?(?:{_SOME_DAY}|{_PART_OF_DAY}s?)\b.*"
    rf"|(?:the )?{_PLACE_IN_TIME} .*(?:{TIME}|week|month|quarter|year).*"
)
# After "at", "in" and the like a bare number is a time, too: "at five", "from 9 to 5", "in 1974".
CLOCK = _compiled(
    rf".*\b(?:1[0-9]|20)\d\d|{NUMBER}(?: sharp)?(?: on \w+days?)?|(?:\w+ )?{NUMBER} (?:to|and|until) {NUMBER}"
    rf"|(?:half|quarter|a quarter|{NUMBER}) (?:past|to) {NUMBER}"
    rf"|(?:half past )?{NUMBER} (?:in the|at) {_PART_OF_DAY}"
)
_MEASURE_UNIT = _either(
    r"% percent per_cent euros? dollars? pounds? cents? crowns? francs? kg g mg kilos? kilograms? grams? tonnes? tons? "
    r"ml cl litres? liters? km cm mm m met(?:er|re)s? (?:kilo|centi|milli)met(?:er|"
    r"re)s? miles? feet inches "
    r"[kmg]?w kwh mah [kmgt]i?b (?:giga|mega|tera)bytes? degrees? °c? volts? amps? watts? bar"
)
MEASURE = _compiled(rf"{NUMBER}\s?(?:[€$£]|{_MEASURE_UNIT}(?![\w-])).*")
_NO_NOUN = _either("an? per each every and or in on at for to with from")
COUNT = re.compile(rf"(?P<number>{AMOUNT})(?P<noun>(?: (?!{_NO_NOUN}\b)[a-z][\w-]*){{1,4}})")
_RELATION = _either(
    "sister brother mother father mum mom dad wife husband son daughter uncle aunt cousin boss manager colleague "
    "neighbou?r friend grandmother grandfather grandma grandpa niece nephew partner teacher trainer landlord "
    "accountant doctor"
)
_NAME = r"[A-Z][\w'’-]+"
PERSON = re.compile(
    rf"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.? )?{_NAME}(?: (?:van|de|der|von|da|di|el|al|[A-Z]\.?|{_NAME})){{1,3}}"
    rf"|(?:my|our|his|her|their) (?:\w+ ){{0,2}}{_RELATION}(?: [A-Z]\w+)?"
)
# Who does something: a name, or a word for people.
AGENT = re.compile(
    r"^(?:the |an? |our |my |one of )?(?:[A-Z]|.*\b(?:folks?|teams?|crew|department|office|desk|"
    r"people|staff|committee|"
    r"sisters?|brothers?|mother|father|uncle|aunt|friends?|neighbou?rs?|widow|monks?|nuns?|king|queen|"
    r"volunteers?|students?|council|board|group|company|family|club|guild|cooperative|nurse|guard|"
    r"\w+(?:er|or|ist|ian)s?)\b)"
)
# Subjects of which "what is it?" is a question: the dress code, the default theme.
ATTRIBUTE = re.compile(
    r"\b(?:code|size|price|fee|limit|rate|policy|theme|language|mode|format|type|brand|model|topic|"
    r"title|motto|slogan|"
    r"currency|unit|method|order|material|ingredient|rule|reason|goal|plan|route|default|number|"
    r"dose|favou?rite|"
    r"speciality|dish|flavou?r|colou?r|name|nickname|address|deadline|schedule|hobby|job|diet|"
    r"instrument|subject|"
    r"breed|sign|symbol|crop|export|product|dessert|drink|food|sport|game|song|book|film|"
    r"movie)(?: (?:of|for|in|at|on) .+)?$"
)
