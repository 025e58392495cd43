"""Splits a Chinese sentence into its clauses; what follows a comma often has the subject of the first clause."""

import re

from assistant.language.chinese_expressions import WHEN

_PART = re.compile(
    r"的?(?:名字|老家|密码|账号|租金|租期|学费|工资|房租|湿度|温度|口味|桌面|外壳|表面|底座|外墙|颜色|价格|售价|面积|电话|地址|高度|重量|屋顶|长度|产量|容量|电量)"
)
# The subject of a first clause, and predicates that go on speaking of it behind a comma.
_SUBJECT = re.compile(
    r"(?P<x>[^，,]{1,12}?)(?=是|在|有|叫|建|由|于|以前|现在|目前|原来|每|用|要|必须|能|可以|会|一共|只|卖|涨|搬|定|住|"
    r"被|从|归|姓|最|喜欢|招|得|重)"
)
_PREDICATE = re.compile(
    rf"(?:而且|并且|还|也)?(?:{WHEN}|今年|已经|现在|目前|平时|一般|主要|大概|最多|至少|每|只|在|由|用|从|"
    r"有|重\d|能|可以|得|会|住|归|属于|位于|叫|对.+过敏|花了|不[吃喝用加]|最?喜欢|爱)"
)
_FRONTED = re.compile(
    rf"(?P<when>{WHEN})(?P<subject>我们|我|公司|"
    rf"[^的是有]{{2,6}}?)(?P<rest>[由在从都会要对用把开办举搬建].+)"
)


def clauses_of(sentence: str) -> list[str]:
    """The first clause, its time behind its subject, and what follows a comma with a predicate of its own."""
    if re.search(r"[,，](?:原因是|是因为|因为|由于)", sentence):
        return [sentence, re.split("[，,]", sentence)[0]]
    first, *others = re.split(r"[,，;；]", sentence)
    if re.fullmatch(WHEN, first) and others:
        first = first + others.pop(0)
    fronted = _FRONTED.match(first)
    if fronted:
        first = f"{fronted['subject']}{fronted['when']}{fronted['rest']}"
    found = _SUBJECT.match(first)
    subject = re.sub(r"[读测学教用养]的$", "", found["x"]) if found else ""  # "我妹读的是…"
    clauses = [first]
    for other in others:
        if _PART.match(other):
            if subject not in ("", "我", "我们"):
                clauses.append(f"{subject}的{other.removeprefix('的')}")
        elif _PREDICATE.match(other):
            if subject:
                clauses.append(f"{subject}{other}")
        elif re.match(r"我|公司|[A-Za-z]|[^是有在]{1,6}的|.{0,4}[员长师人任]是", other):
            clauses.append(other)
    return clauses
