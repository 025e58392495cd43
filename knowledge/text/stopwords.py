"""Stop words of English and Chinese: words that say nothing about the subject of a text."""

from knowledge.text.terms import term_codes, terms

# A list, because in a small index the document frequency of such words is no lower than that of others.
_STOPWORD_TEXT = """
a an and any are as at be been being but by can could did do does for from get give had has have he her his
how i if in into is it its may me might more most much must my no not of on or our please shall she should
so some such tell than that the their them then there these they this those to up us was we were what when
where which who whom whose why will with would you your about after also between during many s t
什么 多少 怎么 怎样 如何 哪个 哪些 哪里 哪儿 为什 么是 是什 是谁 的是
谁是 请问 是否 有没 没有 么时 时候 有什 有哪 一个 的人 是多
"""
STOPWORDS = frozenset(term for word in _STOPWORD_TEXT.split() for term in terms(word))
STOPWORD_CODES = frozenset(int(code) for code in term_codes(_STOPWORD_TEXT))
