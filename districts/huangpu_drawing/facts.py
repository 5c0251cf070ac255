"""Facts of the district in words and numbers: its administration, its metro, its calendar. No shapes.

Streets and committees with their codes: the National Bureau of Statistics' list of 2023 (as of 30 June 2023). It names
170 residents' committees; the district's own later figure is 171, so one stands here without a name of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from anlan.kernel.records import Calendar, Label

FIGURES = {
    "residents": 660_000,
    "visitors_per_day": 700_000,
    "visitors_holiday": 2_000_000,
    "area_km2": 20.52,
    "streets": 10,
    "grids": 30,
    "committees": 171,
    "devices": 106,
    "vehicles": 7,
}


@dataclass(frozen=True)
class Subdistrict:
    """One of the ten streets: its code and names, and its committees as ``number zh|en`` in the order of their codes."""

    code: str
    zh: str
    en: str
    told: str

    @property
    def committees(self) -> list[tuple[str, str, str]]:
        """The code, Chinese and English name of each committee."""
        rows = [row.split() for row in self.told.split(";")]
        return [(f"{self.code}{row[0]}", row[1], " ".join(row[2:])) for row in rows]


SUBDISTRICTS = (
    Subdistrict(
        "310101002", "南京东路街道", "East Nanjing Road",
        "001 云南中路 Middle Yunnan Road;002 龙泉园路 Longquanyuan Road;003 贵州路 Guizhou Road;006 新桥 Xinqiao;"
        "007 牛庄路 Niuzhuang Road;008 厦门路 Xiamen Road;009 福海 Fuhai;010 承兴 Chengxing;011 三德 Sande;013 福瑞 Furui;"
        "014 平望街 Pingwang Street;015 小花园 Xiaohuayuan;017 长江 Changjiang;018 江阴 Jiangyin;019 均乐 Junle;"
        "020 新昌 Xinchang;021 振兴 Zhenxing;022 定兴 Dingxing;023 顺天村 Shuntian Village",
    ),
    Subdistrict(
        "310101013", "外滩街道", "The Bund",
        "001 汉口路 Hankou Road;003 北京 Beijing;004 宁波路 Ningbo Road;005 无锡路 Wuxi Road;007 东风 Dongfeng;"
        "008 山东北路 North Shandong Road;009 虎丘路 Huqiu Road;010 永安路 Yong'an Road;012 永胜路 Yongsheng Road;"
        "014 中山东一路 East First Zhongshan Road;015 盛泽 Shengze;018 宝兴 Baoxing;019 昭通路 Zhaotong Road;020 瑞福 Ruifu;"
        "021 云南 Yunnan;022 山西南路 South Shanxi Road;023 新建二村 Xinjian Second Village",
    ),
    Subdistrict(
        "310101015", "半淞园路街道", "Bansongyuan Road",
        "002 民立 Minli;004 瞿四 Qusi;005 西三 Xisan;006 徽宁 Huining;010 高雄 Gaoxiong;011 瞿二 Qu'er;013 三门峡 Sanmenxia;"
        "014 市民 Shimin;015 西一 Xiyi;016 制造 Zhizao;018 保屯 Baotun;021 西二 Xi'er;022 耀江花园 Yaojiang Garden;"
        "023 黄浦新苑 Huangpu Xinyuan;024 迎勋 Yingxun;025 海西 Haixi;026 益元 Yiyuan;"
        "027 中福花苑第一 Zhongfu Garden First;028 车中 Chezhong;029 普益 Puyi;030 新村 Xincun;"
        "031 中福花苑第二 Zhongfu Garden Second",
    ),
    Subdistrict(
        "310101017", "小东门街道", "Xiaodongmen",
        "002 新码 Xinma;003 龙潭 Longtan;005 西姚 Xiyao;008 中华 Zhonghua;009 白渡 Baidu;010 天灯 Tiandeng;"
        "011 小石桥 Xiaoshiqiao;012 乔家 Qiaojia;013 金坛 Jintan;014 赵家宅 Zhaojiazhai;015 荷花池 Hehuachi;016 阳光 Yangguang;"
        "019 多稼 Duojia;021 万裕 Wanyu;024 府谷 Fugu;025 桑园 Sangyuan",
    ),
    Subdistrict(
        "310101018", "豫园街道", "Yuyuan",
        "002 四新 Sixin;003 宝带 Baodai;005 光启 Guangqi;006 果育 Guoyu;008 太阳都市 Sun City;011 丹马 Danma;012 学院 Xueyuan;"
        "013 露香 Luxiang;016 广福 Guangfu;019 肇方 Zhaofang;020 同庆 Tongqing;021 泰瑞 Tairui;022 淮海 Huaihai;"
        "023 会稽 Kuaiji;024 方西 Fangxi",
    ),
    Subdistrict(
        "310101019", "老西门街道", "Laoximen",
        "005 大兴 Daxing;013 大林 Dalin;014 文庙 Wenmiao;017 学宫街 Xuegong Street;018 曹家街 Caojia Street;"
        "020 小桃园 Xiaotaoyuan;021 方斜 Fangxie;022 牌楼 Pailou;023 也是园 Yeshiyuan;024 龙门邨 Longmen Village;"
        "025 小西门 Xiaoximen;027 唐家湾 Tangjiawan;028 净土街 Jingtu Street;030 陆兴 Luxing;"
        "031 明日星城 Mingri Xingcheng;032 陆迎 Luying",
    ),
    Subdistrict(
        "310101020", "五里桥街道", "Wuliqiao",
        "001 桥一 Qiaoyi;002 桥二 Qiao'er;004 中二 Zhong'er;005 中一 Zhongyi;006 铁一 Tieyi;007 铁二 Tie'er;008 瞿南 Qunan;"
        "009 瞿中 Quzhong;010 瞿东 Qudong;011 瞿西 Quxi;012 斜土 Xietu;013 打浦 Dapu;014 蒙自 Mengzi;016 龙华 Longhua;"
        "017 丽园 Liyuan;018 桑城 Sangcheng;019 紫荆 Zijing;020 瑞南 Ruinan;021 海悦 Haiyue",
    ),
    Subdistrict(
        "310101021", "打浦桥街道", "Dapuqiao",
        "001 大同 Datong;002 肇东 Zhaodong;005 泰康 Taikang;006 建中 Jianzhong;007 丽一 Liyi;008 蒙西 Mengxi;009 丽二 Li'er;"
        "010 银杏 Yinxing;011 局后 Juhou;012 建一 Jianyi;014 建三 Jiansan;015 徐二 Xu'er;016 建五 Jianwu;018 锦海 Jinhai;"
        "019 南塘 Nantang;020 汇龙 Huilong;021 丽三 Lisan",
    ),
    Subdistrict(
        "310101022", "淮海中路街道", "Middle Huaihai Road",
        "002 新华 Xinhua;005 复三 Fusan;006 复四 Fusi;007 志成 Zhicheng;009 大华 Dahua;014 复兴 Fuxing;015 西成 Xicheng;"
        "017 孝和 Xiaohe;020 瑞华 Ruihua;023 建六 Jianliu;027 新天地 Xintiandi;028 顺昌 Shunchang;029 建东 Jiandong",
    ),
    Subdistrict(
        "310101023", "瑞金二路街道", "Second Ruijin Road",
        "001 雁荡 Yandang;002 延中 Yanzhong;003 巨鹿 Julu;004 锦江 Jinjiang;005 南昌 Nanchang;006 茂名 Maoming;"
        "008 淮中 Huaizhong;009 长乐 Changle;010 香山 Xiangshan;011 永嘉 Yongjia;012 思南 Sinan;013 陕建 Shanjian;"
        "014 瑞成 Ruicheng;015 瑞兴 Ruixing;016 建德 Jiande;017 瑞雪 Ruixue",
    ),
)  # fmt: skip

UNLISTED = (
    "310101017",
    "310101017-171",
    "第171居委会（名录未载）",
    "171st Residents' Committee (not in the list of 2023)",
)
"""The committee that only the figure tells of: the street it is drawn in, an id that is no official code, and names."""

METRO = (
    ("people", "人民广场", "People's Square", (-0.47, 1.46), 6),
    ("nanjing-e", "南京东路", "East Nanjing Road", (0.285, 2.005), 6),
    ("yuyuan", "豫园", "Yuyuan Garden", (0.52, 0.74), 5),
    ("dashijie", "大世界", "Dashijie", (-0.385, 1.16), 5),
    ("laoximen", "老西门", "Laoximen", (-0.13, 0.02), 5),
    ("huangpi", "一大会址·黄陂南路", "Site of the First CPC National Congress · South Huangpi Road", (-0.76, 0.70), 5),
    ("xintiandi", "一大会址·新天地", "Site of the First CPC National Congress · Xintiandi", (-0.90, 0.10), 5),
    ("huaihai", "淮海中路", "Middle Huaihai Road", (-1.70, 0.56), 4),
    ("shaanxi", "陕西南路", "South Shaanxi Road", (-2.46, 0.50), 5),
    ("dapuqiao", "打浦桥", "Dapuqiao", (-1.66, -0.86), 4),
    ("madang", "马当路", "Madang Road", (-0.81, -0.76), 4),
    ("luban", "鲁班路", "Luban Road", (-1.05, -1.75), 3),
    ("xizang", "西藏南路", "South Xizang Road", (0.21, -1.93), 5),
    ("lujiabang", "陆家浜路", "Lujiabang Road", (0.09, -1.00), 6),
    ("xiaonanmen", "小南门", "Xiaonanmen", (1.33, -0.62), 4),
    ("nanpu", "南浦大桥", "Nanpu Bridge", (1.66, -1.72), 4),
    ("expo", "世博会博物馆", "World Expo Museum", (-0.48, -2.30), 3),
)
"""Metro stations: key, names, where they are drawn (km), number of entrances."""

FERRIES = (
    ("jinling", "金陵东路渡口", "East Jinling Road Ferry", (1.17, 1.15)),
    ("fuxing", "复兴东路渡口", "East Fuxing Road Ferry", (1.82, 0.13)),
    ("dongjiadu", "董家渡渡口", "Dongjiadu Ferry", (2.13, -0.64)),
    ("lujiabang", "陆家浜路渡口", "Lujiabang Road Ferry", (2.18, -1.28)),
)

NOTICE: Label = {
    "zh": "示意地图：江河街巷由本项目自行绘制，并非测绘成果，不可用于导航，亦不作法定界线；171 个居委会中 170 个名称取自 2023 年统计名录。",
    "en": "Schematic map: drawn by the project, not surveyed; not for navigation and no legal boundary. Of the 171 "
    "committees 170 bear the names of the statistical list of 2023.",
}


def calendar() -> Calendar:
    """Return the statutory rest and make-up days of 2026 as published by the State Council in November 2025.

    The fixed holidays of 2027 are there too, as the rules of 2024 name them; how days off are moved round them was not
    known, so 2027 is not confirmed.
    """
    rest: dict[date, Label] = {}
    for begin, n_days, zh, en in _REST:
        for k in range(n_days):
            rest[begin + timedelta(days=k)] = {"zh": zh, "en": en}
    work: dict[date, Label] = {on: {"zh": f"{zh}调休上班", "en": f"{en}, working day"} for on, zh, en in _WORK}
    return Calendar(rest_days=rest, working_days=work, confirmed_years=frozenset({2026}))


_REST = (
    (date(2026, 1, 1), 3, "元旦", "New Year"),
    (date(2026, 2, 15), 9, "春节", "Spring Festival"),
    (date(2026, 4, 4), 3, "清明节", "Qingming Festival"),
    (date(2026, 5, 1), 5, "劳动节", "Labour Day"),
    (date(2026, 6, 19), 3, "端午节", "Dragon Boat Festival"),
    (date(2026, 9, 25), 3, "中秋节", "Mid-Autumn Festival"),
    (date(2026, 10, 1), 7, "国庆节", "National Day"),
    (date(2027, 1, 1), 1, "元旦", "New Year"),
    (date(2027, 2, 5), 4, "春节", "Spring Festival"),
    (date(2027, 4, 5), 1, "清明节", "Qingming Festival"),
    (date(2027, 5, 1), 2, "劳动节", "Labour Day"),
    (date(2027, 6, 9), 1, "端午节", "Dragon Boat Festival"),
    (date(2027, 9, 15), 1, "中秋节", "Mid-Autumn Festival"),
    (date(2027, 10, 1), 3, "国庆节", "National Day"),
)
_WORK = (
    (date(2026, 1, 4), "元旦", "New Year"),
    (date(2026, 2, 14), "春节", "Spring Festival"),
    (date(2026, 2, 28), "春节", "Spring Festival"),
    (date(2026, 5, 9), "劳动节", "Labour Day"),
    (date(2026, 9, 20), "国庆节", "National Day"),
    (date(2026, 10, 10), "国庆节", "National Day"),
)
