"""Sentences of answers, held by hand against three passages each: which passage supports them, if any.

The thresholds of `knowledge/grounding/citations.py` were chosen on `CHOSEN_ON` alone. That a number in a title is no
number of the passage was learned from the third shelf; the last two shelves were written after all changes.
Kinds: said in the same words, in other words, with a number or a name changed, and said nowhere.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A sentence, and the number of the passage that supports it."""

    kind: str  # same, reworded, changed, nowhere
    sentence: str
    passage: int | None


@dataclass(frozen=True)
class Shelf:
    """Three passages, their titles, and sentences about them."""

    titles: tuple[str, str, str]
    passages: tuple[str, str, str]
    cases: tuple[Case, ...]


CHOSEN_ON = (
    Shelf(
        ("Marlow ferry", "Petrel 4", "Reiber"),
        (
            "The Marlow ferry leaves the pier every forty minutes between 6 a.m. and 10 p.m. A return ticket costs "
            "7 euros, and children under five travel free of charge. Dogs must be kept on a leash on board.",
            "It carries two batteries of 5,200 mAh each. Fully charged it stays in the air for 38 minutes. It must "
            "not be flown when the wind is stronger than 45 km/h, because the gimbal loses its hold.",
            "Founded in 1931 by the brothers Anselm and Otto Reiber, the bakery moved to its present building on "
            "Linden Square after the war. It still bakes its rye bread in the wood-fired oven that Anselm built.",
        ),
        (
            Case("same", "A return ticket costs 7 euros.", 1),
            Case("same", "It must not be flown when the wind is stronger than 45 km/h.", 2),
            Case("same", "The bakery was founded in 1931 by the brothers Anselm and Otto Reiber.", 3),
            Case("same", "The Petrel 4 carries two batteries.", 2),
            Case("reworded", "The Petrel 4 stays up for 38 minutes when fully charged.", 2),
            Case("reworded", "You pay 7 euros for a trip there and back.", 1),
            Case("reworded", "Kids younger than five need no ticket for the ferry.", 1),
            Case("reworded", "A full charge lasts for 38 minutes of flight.", 2),
            Case("reworded", "Their rye bread comes out of a wood-burning oven made by Anselm.", 3),
            Case("reworded", "Dogs have to wear a leash while they are on the ferry.", 1),
            Case("reworded", "A ferry departs every 40 minutes.", 1),
            Case("changed", "A return ticket costs 9 euros.", None),
            Case("changed", "Fully charged it stays in the air for 48 minutes.", None),
            Case("changed", "The bakery was founded in 1913 by the brothers Anselm and Otto Reiber.", None),
            Case("changed", "The bakery was founded in 1931 by the brothers Felix and Emil Baumann.", None),
            Case("changed", "The ferry leaves the pier every fifty minutes.", None),
            Case("nowhere", "The ferry has a restaurant on its upper deck.", None),
            Case("nowhere", "The drone can be repaired by any dealer.", None),
            Case("nowhere", "The bakery sells its bread to hotels in the whole region.", None),
            Case("nowhere", "Tickets can be bought on board.", None),
            Case("nowhere", "I hope this helps you with your trip.", None),
        ),
    ),
    Shelf(
        ("青石湖", "云雀三号望远镜", "松溪镇图书馆"),
        (
            "青石湖的游船每半小时开一班，末班船在傍晚六点离岸。成人票价二十五元，一米二以下的儿童免票。湖上禁止垂钓。",
            "主镜口径为203毫米，焦距1000毫米，重量只有6.8公斤。镜筒用碳纤维制成，出厂前在零下三十度的冷库中测试过。",
            "松溪镇图书馆由退休教师何静在1987年创办，最初只有三百本书。现在的馆舍是由旧粮仓改建的，每周一闭馆。",
        ),
        (
            Case("same", "成人票价二十五元。", 1),
            Case("same", "主镜口径为203毫米。", 2),
            Case("same", "图书馆由退休教师何静在1987年创办。", 3),
            Case("same", "云雀三号望远镜的镜筒用碳纤维制成。", 2),
            Case("reworded", "成人票价是25元。", 1),
            Case("reworded", "最后一班游船在傍晚六点开走。", 1),
            Case("reworded", "不可以在湖上垂钓。", 1),
            Case("reworded", "望远镜的镜筒是碳纤维做的。", 2),
            Case("reworded", "望远镜重6.8公斤。", 2),
            Case("reworded", "图书馆的馆舍以前是粮仓。", 3),
            Case("reworded", "图书馆创办时只有三百本书。", 3),
            Case("changed", "成人票价三十五元。", None),
            Case("changed", "主镜口径为230毫米。", None),
            Case("changed", "图书馆由退休教师何静在1978年创办。", None),
            Case("changed", "成人票价35元。", None),
            Case("nowhere", "游船上可以买到热茶。", None),
            Case("nowhere", "望远镜附带三个目镜。", None),
            Case("nowhere", "图书馆每年举办一次读书节。", None),
            Case("nowhere", "希望这些信息对你有帮助。", None),
        ),
    ),
)

JUDGED_ON = (
    Shelf(
        ("Heron 200 coffee machine", "Cape Wrayburn lighthouse", "Allotment rules"),
        (
            "The water tank holds 1.8 litres and has to be rinsed once a week. Descale the machine after every 300 "
            "cups; the blue lamp blinks when it is due. Never use vinegar, which damages the seals.",
            "The lighthouse was lit for the first time on 3 March 1874. Its lamp, at 61 metres above the sea, can be "
            "seen from 23 nautical miles away. The last keeper, Maud Ellery, left in 1989 when it was automated.",
            "Each plot measures 120 square metres. Hedges may not grow taller than a metre and a quarter. Bonfires are "
            "allowed on Saturdays in October and November, and only with the consent of the neighbours.",
        ),
        (
            Case("same", "The water tank holds 1.8 litres.", 1),
            Case("same", "Never use vinegar, which damages the seals.", 1),
            Case("same", "The lighthouse was lit for the first time on 3 March 1874.", 2),
            Case("same", "Each plot measures 120 square metres.", 3),
            Case("same", "The water tank of the Heron 200 holds 1.8 litres.", 1),
            Case("reworded", "You should rinse the tank every week.", 1),
            Case("reworded", "After 300 cups it needs descaling.", 1),
            Case("reworded", "A blinking blue lamp tells you that it is time to descale.", 1),
            Case("reworded", "Vinegar would harm the seals.", 1),
            Case("reworded", "Ships 23 nautical miles away can see the lamp.", 2),
            Case("reworded", "Maud Ellery, who left in 1989, was the last to keep the light.", 2),
            Case("reworded", "You need your neighbours' consent for a bonfire.", 3),
            Case("reworded", "A plot is 120 square metres in size.", 3),
            Case("changed", "The water tank holds 2.8 litres.", None),
            Case("changed", "Descale the machine after every 200 cups.", None),
            Case("changed", "The lighthouse was lit for the first time on 3 March 1847.", None),
            Case("changed", "The last keeper, Edith Marsh, left in 1989.", None),
            Case("changed", "Each plot measures 150 square metres.", None),
            Case("nowhere", "The machine grinds the beans itself.", None),
            Case("nowhere", "The lighthouse can be visited on weekends.", None),
            Case("nowhere", "The rent is due at the beginning of the year.", None),
            Case("nowhere", "The machine has a warranty of two years.", None),
            Case("nowhere", "The tower is built of granite from a local quarry.", None),
        ),
    ),
    Shelf(
        ("白鹭净水器", "望海楼", "校园自行车管理办法"),
        (
            "滤芯每六个月更换一次，更换时红灯会闪烁。水箱容量为3.5升，不得装入热水。长期不用时应拔下电源。",
            "望海楼始建于1682年，高二十七米，共有五层。现存的木结构是1906年火灾之后由工匠陆承安主持重建的。",
            "学生的自行车须在后勤处登记，登记费十元。车辆只能停放在划线区域，违者锁车三天。毕业生应在六月底之前把车取走。",
        ),
        (
            Case("same", "滤芯每六个月更换一次。", 1),
            Case("same", "水箱容量为3.5升。", 1),
            Case("same", "望海楼始建于1682年。", 2),
            Case("same", "白鹭净水器的水箱容量为3.5升。", 1),
            Case("reworded", "每6个月要更换一次滤芯。", 1),
            Case("reworded", "水箱里不能装热水。", 1),
            Case("reworded", "1906年的火灾之后，工匠陆承安重建了它。", 2),
            Case("reworded", "望海楼高27米，有五层。", 2),
            Case("reworded", "自行车登记要交十元登记费。", 3),
            Case("reworded", "自行车要停放在划线的区域里。", 3),
            Case("changed", "滤芯每八个月更换一次。", None),
            Case("changed", "水箱容量为5.3升。", None),
            Case("changed", "望海楼高三十七米，共有五层。", None),
            Case("changed", "违者锁车七天。", None),
            Case("nowhere", "净水器可以用手机控制。", None),
            Case("nowhere", "望海楼的门票要提前预订。", None),
            Case("nowhere", "学校每年会检查自行车的刹车。", None),
            Case("nowhere", "楼上挂着一口很大的铜钟。", None),
        ),
    ),
    Shelf(
        ("Night bus N7", "Tamsin Orchard", "Quarry pool"),
        (
            "The N7 runs from the station to Elm Park at 23:40, 0:40 and 1:40. On Fridays and Saturdays there is "
            "one more bus, at 2:40. The surcharge of 2 euros is paid to the driver.",
            "Tamsin Orchard was planted in 1958 and has 740 trees of thirty old varieties. It is pruned each February "
            "by volunteers, who are thanked with cider.",
            "The pool is 14 metres deep and the water rarely warmer than 17 degrees. Jumping from the rocks is "
            "forbidden since the accident of 2009. Lifeguards are present from noon to seven.",
        ),
        (
            Case("same", "The surcharge of 2 euros is paid to the driver.", 1),
            Case("same", "Tamsin Orchard has 740 trees.", 2),
            Case("reworded", "Passengers pay the driver 2 euros extra.", 1),
            Case("reworded", "There are 30 old varieties among its 740 trees.", 2),
            Case("reworded", "Volunteers prune the trees of the orchard every February.", 2),
            Case("reworded", "You are not allowed to jump from the rocks.", 3),
            Case("reworded", "The deepest point lies 14 metres down.", 3),
            Case("changed", "The orchard was planted in 1968.", None),
            Case("changed", "The N7 runs from the station to Harbour Square.", None),
            Case("changed", "The pool is 40 metres deep.", None),
            Case("nowhere", "The bus is equipped with a ramp for wheelchairs.", None),
            Case("nowhere", "The apples are sold at the weekly market.", None),
            Case("nowhere", "Swimmers can rent towels at the kiosk.", None),
        ),
    ),
    Shelf(
        ("夜行列车", "石桥村", "蓝鸟电动车"),
        (
            "夜行列车每晚22:15从江州出发，次日清晨六点四十分到达云港。软卧票价三百二十元，车上不提供晚餐。",
            "石桥村的石桥长四十六米，建于明代，2013年修缮过一次。村里的豆腐用山泉水制作，每天只卖两百块。",
            "蓝鸟电动车充满电需要四小时，最远行驶85公里。雨天请勿给电池充电。整车保修两年。",
        ),
        (
            Case("same", "软卧票价三百二十元。", 1),
            Case("same", "雨天请勿给电池充电。", 3),
            Case("reworded", "软卧的票价是320元。", 1),
            Case("reworded", "列车上没有晚餐提供。", 1),
            Case("reworded", "村里每天只卖200块豆腐。", 2),
            Case("reworded", "下雨天不要给电池充电。", 3),
            Case("reworded", "电动车充满电要4小时。", 3),
            Case("changed", "软卧票价二百三十元。", None),
            Case("changed", "石桥长六十四米。", None),
            Case("changed", "整车保修三年。", None),
            Case("nowhere", "列车上可以使用无线网络。", None),
            Case("nowhere", "村口有一棵很老的银杏树。", None),
            Case("nowhere", "电动车有三种颜色。", None),
        ),
    ),
)
