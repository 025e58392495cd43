"""Short texts with a question each: does a checkpoint still read what retrieval gives it? Never trained on.

And short chats, for the perplexity of talk that nobody taught.
"""

from tuning.augment.reading_exercises import FORM, FORM_ZH

_ENGLISH: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("The Hollin mill stopped grinding flour in 1931. Since then it has housed a pottery workshop. "
     "Its water wheel still turns on the first Sunday of May.",
     "What is in the Hollin mill today?", ("pottery workshop", "pottery")),
    ("Members of the rowing club pay 85 euros a year. Students pay half. The boathouse is closed in January.",
     "In which month is the boathouse closed?", ("January",)),
    ("Our printer takes A4 and A5 paper. Colour pages cost eleven cents, black ones three.",
     "How much does a page in colour cost?", ("eleven cents", "11 cents")),
    ("Captain Ines Marlo sailed the Petrel for nineteen years. Her first mate was a man named Finn Daly.",
     "Who was the first mate on the Petrel?", ("Finn Daly",)),
    ("The Quince bakery opens at six. On Mondays it sells only bread; cakes are baked from Tuesday on.",
     "On which day are there no cakes?", ("Monday", "Mondays")),
    ("To reset the alarm, hold the green key for five seconds. The red key calls the porter.",
     "Which key calls the porter?", ("red",)),
    ("The Sable pass is 2,140 metres high. The Orrin pass, its neighbour, is lower by 300 metres.",
     "How high is the Sable pass?", ("2140 metres", "2140")),
    ("Lucia keeps her bees behind the chapel. Last summer they gave 64 kilos of honey.",
     "How much honey did the bees give?", ("64 kilos", "64")),
    ("The archive was moved to Tarn Street after the flood. The old rooms on Mill Lane stand empty.",
     "Where is the archive now?", ("Tarn Street",)),
    ("The team wears grey at home and orange away. Its mascot is a badger called Otto.",
     "What is the name of the mascot?", ("Otto",)),
    ("Batteries of the Lumo torch last thirty hours. It weighs 210 grams and floats.",
     "How long do the batteries of the Lumo torch last?", ("thirty hours", "30 hours")),
    ("The recipe needs four eggs, a spoon of honey and chestnut flour. It bakes for 35 minutes.",
     "What kind of flour does the recipe need?", ("chestnut",)),
    ("The lecture by Professor Adeyemi is in room 12. Professor Lund speaks in room 40 at the same hour.",
     "In which room does Professor Lund speak?", ("40", "room 40")),
    ("Visitors leave their coats with Mrs Hale. The tour starts at the fountain and ends in the tower.",
     "Where does the tour start?", ("fountain",)),
    ("The ferry Alma takes 22 cars. The ferry Nora takes nine and sails only in summer.",
     "How many cars does the ferry Nora take?", ("nine", "9")),
    ("In Brisk the market is on Thursdays. In Wendle, across the river, it is on Saturdays.",
     "On which day is the market in Wendle?", ("Saturday", "Saturdays")),
    ("The violin was built by Jakob Sturm in Mittenwald. A collector from Oslo bought it in 1998.",
     "Who built the violin?", ("Jakob Sturm",)),
    ("Orders over fifty euros are sent free of charge. Returns are accepted for 45 days.",
     "For how long are returns accepted?", ("45 days", "45")),
    ("The chess champion of 2016 was Rhea Kapoor. She beat Tomas Wirth in eleven games.",
     "Whom did Rhea Kapoor beat?", ("Tomas Wirth", "Wirth")),
    ("The greenhouse is kept at 24 degrees for the orchids. The ferns outside need shade and rain.",
     "At what temperature is the greenhouse kept?", ("24 degrees", "24")),
)  # fmt: skip
_CHINESE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("柳河书店每天上午九点开门。店里的猫叫豆包，最喜欢睡在窗台上。", "书店的猫叫什么？", ("豆包",)),
    ("白石桥长六十米，是用花岗岩砌成的。桥头有一家茶馆。", "白石桥是用什么砌成的？", ("花岗岩",)),
    ("张师傅修钟表三十年了。他的铺子在东门街，星期二休息。", "张师傅的铺子星期几休息？", ("星期二",)),
    ("这台净水器每四个月换一次滤芯，用电二十瓦。", "滤芯多久换一次？", ("四个月", "4个月")),
)  # fmt: skip

READING: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (form.format(context=context, question=question), answers)
    for form, texts in ((FORM, _ENGLISH), (FORM_ZH, _CHINESE))
    for context, question, answers in texts
)

CHATS: tuple[tuple[str, str], ...] = (
    ("How do I keep bread fresh?",
     "Wrap it in a cloth and keep it in a wooden box, or freeze it in slices. In a plastic bag it turns soft "
     "and grows mould sooner."),
    ("I have to give a speech and I am nervous.",
     "That is quite normal. Practise it aloud three times, learn the first two sentences by heart, and look "
     "at one friendly face in the room when you begin."),
    ("Why is the sky dark at night?",
     "At night our side of the Earth is turned away from the sun, so no sunlight is scattered in the air "
     "above us and we look out into space."),
    ("Can you recommend a hobby for rainy days?",
     "You could try drawing, baking or playing the guitar. Puzzles and books also pass the time well."),
    ("What should I think of when I buy a used bicycle?",
     "Check the frame for cracks, spin both wheels, try the brakes and the gears, and ride it for a few "
     "minutes. Ask for the receipt as well."),
    ("Explain what interest on a loan is.",
     "Interest is the price of borrowing money. You pay back what you borrowed and, on top of that, a share "
     "of it for every year you keep it."),
    ("My plants have yellow leaves.",
     "They may get too much water. Let the soil dry before you water them again, and move them to a place "
     "with more light."),
    ("How do vaccines work?",
     "A vaccine shows the body a harmless part of a germ. The body learns to recognise it and can defend "
     "itself quickly when the real germ arrives."),
    ("Write a short note to thank a neighbour.",
     "Dear neighbour, thank you for watering our flowers while we were away. They have never looked better. "
     "Please come over for coffee soon."),
    ("What is the difference between a lake and a pond?",
     "A pond is smaller and shallow enough for light to reach the bottom, so plants can grow all over it. A "
     "lake is larger and deeper."),
    ("我想学做饭，从哪里开始？",
     "可以先从简单的菜开始，比如西红柿炒鸡蛋。准备好材料，按步骤慢慢来，多做几次就熟练了。"),
    ("为什么要早睡？", "早睡可以让身体得到充分的休息，第二天更有精神，也有助于记忆和学习。"),
)  # fmt: skip
