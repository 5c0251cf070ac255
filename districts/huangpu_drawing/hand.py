"""What is drawn by hand: river, borders and named roads, in km east and north of the pack's centre.

The lines follow how the city is told, not how it is measured: which road lies north of which, what faces the river,
where the old town is. No coordinate comes from a map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Line = list[tuple[float, float]]

BANK: Line = [
    (0.985, 2.93), (0.865, 2.62), (0.835, 2.25), (0.925, 1.75), (1.10, 1.25), (1.40, 0.75), (1.72, 0.30), (1.98, -0.20),
    (2.15, -0.75), (2.20, -1.30), (2.05, -1.85), (1.72, -2.28), (1.25, -2.58), (0.68, -2.73), (0.05, -2.76),
    (-0.60, -2.78), (-1.20, -2.90), (-1.80, -3.12),
]  # fmt: skip
"""The western bank of the river, downstream end first."""

SHORE_M = (84, 84, 84, 84, 84, 84, 84, 84, 84, 86, 100, 115, 150, 190, 195, 180, 130, 110)
"""How far inland the road along the bank runs at each of its points."""

MID_RIVER: Line = [
    (1.20, 3.02), (1.09, 2.60), (1.06, 2.25), (1.14, 1.80), (1.31, 1.35), (1.60, 0.88), (1.92, 0.43), (2.19, -0.10),
    (2.37, -0.70), (2.42, -1.33), (2.26, -1.97), (1.88, -2.46), (1.34, -2.79), (0.70, -2.95), (0.05, -2.98),
    (-0.60, -3.00), (-1.25, -3.11), (-1.86, -3.33),
]  # fmt: skip
"""The middle of the river, where the district ends."""

CREEK: Line = [
    (0.985, 2.93), (0.62, 2.80), (0.28, 2.67), (-0.10, 2.69), (-0.45, 2.61), (-0.80, 2.42), (-1.12, 2.43), (-1.50, 2.30),
]  # fmt: skip
"""The southern bank of the creek in the north, from its mouth westwards."""

WEST: Line = [
    (-1.50, 2.30), (-1.43, 1.85), (-1.33, 1.157), (-2.43, 0.985), (-2.50, 0.50), (-2.57, -0.30), (-2.63, -0.94),
    (-2.13, -0.97), (-2.03, -1.60), (-1.93, -2.30), (-1.80, -3.12),
]  # fmt: skip
"""The border on land, southwards."""

OVAL = (0.74, 0.22, 0.78, 0.69, -12.0)
"""The ring of the old town: centre, half axes (km), turn (degrees)."""


@dataclass(frozen=True)
class Road:
    """A road by name: its class and its course; ``oneway`` is for vehicles, along the course."""

    zh: str
    en: str
    street_class: str
    course: Line
    oneway: bool = False


def across(north_km: float, west_km: float, east_km: float) -> Line:
    """Return the course of an east-west road of the northern part, which all rise a little to the east."""
    x = np.linspace(west_km, east_km, 5)
    y = north_km + 0.13 * x + 0.012 * np.sin(3 * x + 7 * north_km)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def down(east_km: float, north_km: float, south_km: float, lean: float = 0.2) -> Line:
    """Return the course of a north-south road of the northern part, where ``east_km`` is told at Yan'an Road."""
    y = np.linspace(north_km, south_km, 5)
    x = east_km - lean * (y - 1.33) + 0.010 * np.sin(4 * y + 9 * east_km)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def ring(begin_deg: float, end_deg: float) -> Line:
    """Return a part of the old town's ring, by angle from the east, counter-clockwise."""
    x, y, a, b, turn = OVAL
    angle, turned = np.radians(np.linspace(begin_deg, end_deg, 13)), np.radians(turn)
    u, v = a * np.cos(angle), b * np.sin(angle)
    u, v = x + u * np.cos(turned) - v * np.sin(turned), y + u * np.sin(turned) + v * np.cos(turned)
    return list(zip(u.tolist(), v.tolist(), strict=True))


ROADS = (
    # North of Yan'an Road: the grid of the old settlement, narrow and one-way.
    Road("北京西路", "West Beijing Road", "secondary", across(2.33, -1.56, -0.60)),
    Road("北京东路", "East Beijing Road", "secondary", across(2.33, -0.60, 0.85)),
    Road("厦门路", "Xiamen Road", "tertiary", across(2.50, -0.74, -0.10)),
    Road("宁波路", "Ningbo Road", "tertiary", across(2.205, -0.66, 0.66), oneway=True),
    Road("天津路", "Tianjin Road", "tertiary", across(2.095, -0.64, 0.62)[::-1], oneway=True),
    Road("南京西路", "West Nanjing Road", "primary", across(1.965, -1.52, -0.545)),
    Road("南京路步行街", "Nanjing Road Pedestrian Street", "pedestrian", across(1.965, -0.545, 0.90)),
    Road("九江路", "Jiujiang Road", "tertiary", across(1.85, -0.58, 0.90), oneway=True),
    Road("汉口路", "Hankou Road", "tertiary", across(1.735, -0.56, 0.92)[::-1], oneway=True),
    Road("福州路", "Fuzhou Road", "secondary", across(1.615, -0.54, 0.95)),
    Road("广东路", "Guangdong Road", "tertiary", across(1.475, -0.52, 1.00), oneway=True),
    Road("人民大道", "People's Avenue", "secondary", across(1.60, -1.02, -0.40)),
    Road("凤阳路", "Fengyang Road", "tertiary", across(2.12, -1.50, -0.60)),
    Road("威海路", "Weihai Road", "tertiary", across(1.60, -1.46, -0.82)),
    Road("大沽路", "Dagu Road", "tertiary", across(1.38, -1.42, -0.78)),
    Road("延安中路", "Middle Yan'an Road", "primary", [(-2.47, 0.945), (-1.90, 1.03), (-1.27, 1.125)]),
    Road("延安东路", "East Yan'an Road", "primary", [(-1.27, 1.125), (-0.60, 1.235), (0.20, 1.345), (0.62, 1.40), (1.10, 1.47)]),
    Road("宁海东路", "East Ninghai Road", "tertiary", [(-0.44, 1.135), (0.10, 1.215), (0.62, 1.27)]),
    Road("金陵东路", "East Jinling Road", "secondary", [(-0.44, 1.02), (0.20, 1.10), (0.70, 1.14), (1.16, 1.21)]),
    Road("西藏中路", "Middle Xizang Road", "primary", down(-0.42, 2.75, 1.20)),
    Road("黄陂北路", "North Huangpi Road", "tertiary", down(-0.88, 2.45, 1.08)),
    Road("新昌路", "Xinchang Road", "tertiary", down(-1.13, 2.50, 1.40)),
    Road("贵州路", "Guizhou Road", "tertiary", down(-0.24, 2.70, 1.85), oneway=True),
    Road("云南中路", "Middle Yunnan Road", "tertiary", down(-0.27, 1.98, 0.95)),
    Road("广西北路", "North Guangxi Road", "tertiary", down(-0.13, 2.30, 1.30)[::-1], oneway=True),
    Road("浙江中路", "Middle Zhejiang Road", "secondary", down(0.01, 2.75, 1.00)),
    Road("福建中路", "Middle Fujian Road", "tertiary", down(0.15, 2.75, 0.90)),
    Road("山东中路", "Middle Shandong Road", "tertiary", down(0.28, 2.30, 1.05), oneway=True),
    Road("山西中路", "Middle Shanxi Road", "tertiary", down(0.24, 2.75, 2.28)),
    Road("河南中路", "Middle Henan Road", "primary", down(0.42, 2.75, 1.28)),
    Road("河南南路", "South Henan Road", "primary", [(0.408, 1.44), (0.47, 0.90), (0.54, 0.45), (0.66, -0.05), (0.78, -0.50), (0.90, -0.95), (0.97, -1.26)]),
    Road("江西中路", "Middle Jiangxi Road", "tertiary", down(0.56, 2.80, 1.12)),
    Road("四川中路", "Middle Sichuan Road", "secondary", down(0.70, 2.88, 0.84)[::-1], oneway=True),
    Road("圆明园路", "Yuanmingyuan Road", "pedestrian", down(0.88, 2.86, 2.34)),
    # The old town.
    Road("人民路", "Renmin Road", "secondary", ring(15, 185)),
    Road("中华路", "Zhonghua Road", "secondary", ring(185, 375)),
    Road("福佑路", "Fuyou Road", "tertiary", [(0.16, 0.585), (0.52, 0.60), (0.76, 0.625), (1.16, 0.655), (1.42, 0.60)]),
    Road("方浜中路", "Middle Fangbang Road", "tertiary", [(-0.06, 0.27), (0.30, 0.21), (0.60, 0.225), (0.78, 0.215), (1.16, 0.255), (1.56, 0.235)]),
    Road("大境路", "Dajing Road", "living_street", [(0.0, 0.42), (0.30, 0.41), (0.58, 0.40)]),
    Road("旧校场路", "Jiujiaochang Road", "pedestrian", [(0.75, 0.66), (0.757, 0.42), (0.768, 0.20)]),
    Road("安仁街", "Anren Street", "living_street", [(1.165, 0.88), (1.16, 0.66), (1.158, 0.45), (1.165, 0.22)]),
    Road("丽水路", "Lishui Road", "living_street", [(0.755, 0.92), (0.75, 0.62)]),
    Road("豫园老街", "Yuyuan Old Street", "pedestrian", [(0.957, 0.66), (0.955, 0.44), (0.965, 0.20)]),
    Road("", "", "pedestrian", [(0.94, 0.452), (1.05, 0.447), (1.18, 0.457)]),
    Road("", "", "pedestrian", [(0.94, 0.362), (1.05, 0.367), (1.18, 0.362)]),
    Road("露香园路", "Luxiangyuan Road", "living_street", [(0.29, 0.82), (0.31, 0.42), (0.34, -0.04)]),
    Road("光启路", "Guangqi Road", "living_street", [(1.00, 0.24), (1.02, -0.05), (1.08, -0.35), (1.06, -0.46)]),
    Road("四牌楼路", "Sipailou Road", "living_street", [(1.22, 0.24), (1.24, -0.03), (1.30, -0.22)]),
    Road("乔家路", "Qiaojia Road", "living_street", [(0.70, -0.20), (1.05, -0.215), (1.42, -0.16)]),
    Road("蓬莱路", "Penglai Road", "tertiary", [(0.02, -0.235), (0.36, -0.215), (0.70, -0.22)]),
    Road("文庙路", "Wenmiao Road", "living_street", [(0.03, -0.12), (0.36, -0.105), (0.68, -0.115)]),
    # Between the old town and the river.
    Road("中山南路", "South Zhongshan Road", "primary", [(1.19, 0.87), (1.35, 0.70), (1.52, 0.42), (1.68, 0.06), (1.80, -0.40), (1.88, -0.90), (1.88, -1.30), (1.74, -1.66)]),
    Road("新开河路", "Xinkaihe Road", "tertiary", [(1.00, 0.85), (1.13, 1.02), (1.25, 1.15)]),
    Road("东门路", "Dongmen Road", "tertiary", [(1.44, 0.30), (1.72, 0.42)]),
    Road("白渡路", "Baidu Road", "tertiary", [(1.54, -0.05), (2.00, -0.02)]),
    Road("王家码头路", "Wangjiamatou Road", "tertiary", [(1.25, -0.265), (1.80, -0.30), (2.08, -0.28)]),
    Road("董家渡路", "Dongjiadu Road", "tertiary", [(0.74, -0.64), (1.30, -0.62), (1.84, -0.66), (2.14, -0.64)]),
    Road("油车码头街", "Youchematou Street", "tertiary", [(1.32, -0.965), (1.60, -0.98), (2.16, -0.98)]),
    Road("桑园街", "Sangyuan Street", "tertiary", [(1.31, -0.22), (1.38, -0.65), (1.42, -1.00), (1.455, -1.41)]),
    Road("复兴东路", "East Fuxing Road", "primary", [(-0.22, 0.035), (0.30, -0.005), (0.70, -0.015), (1.20, 0.02), (1.56, 0.07), (1.86, 0.12)]),
    # South of Yan'an Road, west of the old town.
    Road("淮海中路", "Middle Huaihai Road", "primary", [(-2.54, 0.50), (-1.80, 0.55), (-1.14, 0.635), (-0.55, 0.72), (-0.30, 0.76)]),
    Road("淮海东路", "East Huaihai Road", "secondary", [(-0.30, 0.76), (0.05, 0.83), (0.34, 0.87)]),
    Road("金陵西路", "West Jinling Road", "tertiary", [(-1.32, 0.89), (-0.75, 0.945), (-0.34, 1.01)]),
    Road("长乐路", "Changle Road", "tertiary", [(-2.46, 0.76), (-1.90, 0.82), (-1.17, 0.905)], oneway=True),
    Road("巨鹿路", "Julu Road", "tertiary", [(-2.45, 0.875), (-1.90, 0.955), (-1.19, 1.04)][::-1], oneway=True),
    Road("南昌路", "Nanchang Road", "tertiary", [(-2.51, 0.33), (-1.80, 0.36), (-1.06, 0.45)], oneway=True),
    Road("皋兰路", "Gaolan Road", "living_street", [(-1.82, 0.245), (-1.49, 0.275)]),
    Road("香山路", "Xiangshan Road", "living_street", [(-1.86, 0.17), (-1.46, 0.185)]),
    Road("太仓路", "Taicang Road", "tertiary", [(-1.22, 0.505), (-0.68, 0.57), (-0.22, 0.635)]),
    Road("自忠路", "Zizhong Road", "tertiary", [(-1.14, 0.185), (-0.64, 0.235), (-0.12, 0.28)]),
    Road("兴业路", "Xingye Road", "living_street", [(-0.72, 0.41), (-0.18, 0.46)]),
    Road("复兴中路", "Middle Fuxing Road", "secondary", [(-2.58, 0.05), (-1.80, 0.075), (-1.05, 0.085), (-0.55, 0.065), (-0.18, 0.03)]),
    Road("永嘉路", "Yongjia Road", "tertiary", [(-2.58, -0.16), (-1.80, -0.135)], oneway=True),
    Road("合肥路", "Hefei Road", "tertiary", [(-1.80, -0.135), (-1.05, -0.125), (-0.28, -0.155)]),
    Road("建国西路", "West Jianguo Road", "tertiary", [(-2.60, -0.42), (-1.76, -0.375)]),
    Road("建国中路", "Middle Jianguo Road", "secondary", [(-1.76, -0.375), (-1.00, -0.365)]),
    Road("建国东路", "East Jianguo Road", "secondary", [(-1.00, -0.365), (-0.45, -0.385), (-0.08, -0.44), (0.14, -0.39)]),
    Road("泰康路", "Taikang Road", "tertiary", [(-1.82, -0.615), (-1.20, -0.615), (-0.96, -0.625)]),
    Road("肇嘉浜路", "Zhaojiabang Road", "primary", [(-2.66, -0.915), (-1.76, -0.875)]),
    Road("徐家汇路", "Xujiahui Road", "primary", [(-1.76, -0.875), (-1.00, -0.855), (-0.38, -0.905), (0.10, -0.99)]),
    Road("陆家浜路", "Lujiabang Road", "primary", [(0.10, -0.99), (0.55, -1.12), (1.02, -1.25), (1.50, -1.325), (1.92, -1.30)]),
    Road("陕西南路", "South Shaanxi Road", "secondary", [(-2.40, 1.03), (-2.47, 0.50), (-2.545, -0.30), (-2.60, -0.93)]),
    Road("茂名南路", "South Maoming Road", "tertiary", [(-2.07, 1.05), (-2.12, 0.50), (-2.18, 0.04)], oneway=True),
    Road("瑞金一路", "First Ruijin Road", "secondary", [(-1.70, 1.12), (-1.77, 0.53)]),
    Road("瑞金二路", "Second Ruijin Road", "secondary", [(-1.77, 0.57), (-1.80, 0.08), (-1.76, -0.40), (-1.75, -0.88)]),
    Road("瑞金南路", "South Ruijin Road", "secondary", [(-1.75, -0.86), (-1.74, -1.30), (-1.72, -2.00), (-1.66, -2.60), (-1.58, -3.10)]),
    Road("思南路", "Sinan Road", "tertiary", [(-1.43, 0.62), (-1.48, 0.30), (-1.48, 0.06), (-1.46, -0.38), (-1.44, -0.64)][::-1], oneway=True),
    Road("雁荡路", "Yandang Road", "pedestrian", [(-1.30, 0.66), (-1.335, 0.40)]),
    Road("重庆中路", "Middle Chongqing Road", "primary", [(-1.27, 1.06), (-1.17, 0.60)]),
    Road("重庆南路", "South Chongqing Road", "primary", [(-1.17, 0.60), (-1.06, 0.08), (-1.00, -0.37), (-0.98, -0.87)]),
    Road("成都北路", "North Chengdu Road", "primary", [(-1.475, 2.34), (-1.405, 1.85), (-1.30, 1.20), (-1.27, 1.06)]),
    Road("马当路", "Madang Road", "tertiary", [(-0.97, 0.70), (-0.955, 0.52), (-0.93, 0.20), (-0.85, -0.38), (-0.80, -0.90)]),
    Road("黄陂南路", "South Huangpi Road", "tertiary", [(-0.855, 1.24), (-0.76, 0.70), (-0.70, 0.40), (-0.64, 0.08), (-0.55, -0.38), (-0.52, -0.90)]),
    Road("普安路", "Pu'an Road", "tertiary", [(-0.60, 1.26), (-0.535, 0.95), (-0.495, 0.67)]),
    Road("嵩山路", "Songshan Road", "tertiary", [(-0.71, 1.24), (-0.665, 0.95), (-0.615, 0.66)]),
    Road("济南路", "Jinan Road", "tertiary", [(-0.495, 0.67), (-0.43, 0.25), (-0.36, -0.17), (-0.32, -0.47)]),
    Road("西藏南路", "South Xizang Road", "primary", [(-0.412, 1.32), (-0.32, 0.76), (-0.19, 0.22), (-0.10, -0.20), (-0.04, -0.55), (0.08, -1.00), (0.19, -1.60), (0.27, -2.20), (0.31, -2.64)]),
    Road("方斜路", "Fangxie Road", "tertiary", [(-0.18, 0.03), (-0.06, -0.10), (0.08, -0.34), (0.28, -0.66), (0.44, -1.15)]),
    Road("大林路", "Dalin Road", "tertiary", [(-0.10, -0.65), (0.30, -0.70), (0.80, -0.78), (1.24, -0.82), (1.48, -0.85)]),
    Road("肇周路", "Zhaozhou Road", "tertiary", [(-0.135, 0.10), (-0.26, -0.20), (-0.33, -0.42), (-0.295, -1.00)]),
    Road("跨龙路", "Kualong Road", "living_street", [(0.42, -0.34), (0.52, -0.74), (0.615, -1.20)]),
    # The south.
    Road("", "", "residential", [(-2.14, -1.08), (-1.90, -1.065), (-1.70, -1.055)]),
    Road("瑞宁路", "Ruining Road", "tertiary", [(-2.10, -0.88), (-2.0, -1.60), (-1.90, -2.30), (-1.775, -3.05)]),
    Road("斜土东路", "East Xietu Road", "tertiary", [(-0.44, -1.20), (0.12, -1.29), (0.70, -1.46), (1.21, -1.535)]),
    Road("斜土路", "Xietu Road", "secondary", [(-2.12, -1.245), (-1.60, -1.20), (-0.96, -1.16), (-0.44, -1.20)]),
    Road("瞿溪路", "Quxi Road", "tertiary", [(-2.05, -1.60), (-1.30, -1.545), (-0.60, -1.53), (0.16, -1.61), (0.82, -1.73)]),
    Road("丽园路", "Liyuan Road", "tertiary", [(-1.50, -1.045), (-0.98, -1.00), (-0.33, -1.06)]),
    Road("中山南一路", "South First Zhongshan Road", "primary", [(-2.02, -1.96), (-1.30, -1.90), (-0.60, -1.88), (0.20, -1.96), (0.90, -1.99), (1.40, -1.88), (1.74, -1.66)]),
    Road("龙华东路", "East Longhua Road", "secondary", [(-1.99, -2.32), (-1.30, -2.25), (-0.60, -2.22), (0.24, -2.28)]),
    Road("半淞园路", "Bansongyuan Road", "secondary", [(0.24, -2.28), (0.80, -2.29), (1.30, -2.16), (1.62, -1.86), (1.74, -1.66)]),
    Road("望达路", "Wangda Road", "tertiary", [(-1.66, -2.60), (-1.05, -2.44), (-0.40, -2.36), (-0.24, -2.36)]),
    Road("鲁班路", "Luban Road", "primary", [(-0.98, -0.87), (-1.02, -1.30), (-1.08, -1.92), (-1.12, -2.24), (-1.15, -2.85)]),
    Road("蒙自路", "Mengzi Road", "tertiary", [(-0.657, -0.80), (-0.69, -1.40), (-0.72, -1.90), (-0.74, -2.62)]),
    Road("打浦路", "Dapu Road", "secondary", [(-1.442, -0.79), (-1.42, -1.30), (-1.42, -1.92), (-1.39, -2.95)]),
    Road("制造局路", "Zhizaoju Road", "secondary", [(-0.425, -0.84), (-0.37, -1.40), (-0.29, -1.95), (-0.25, -2.62)]),
    Road("车站支路", "Chezhan Branch Road", "tertiary", [(0.39, -1.00), (0.46, -1.50), (0.505, -2.06)]),
    Road("南车站路", "South Chezhan Road", "tertiary", [(0.65, -1.07), (0.72, -1.60), (0.76, -2.02), (0.80, -2.60)]),
    Road("国货路", "Guohuo Road", "tertiary", [(0.66, -1.72), (1.10, -1.76), (1.68, -1.80)]),
    Road("保屯路", "Baotun Road", "tertiary", [(1.095, -1.20), (1.14, -1.76), (1.20, -2.00)]),
    Road("花园港路", "Huayuangang Road", "tertiary", [(1.03, -1.98), (1.08, -2.62)]),
)  # fmt: skip

GREENS: Line = [
    (1.08, 0.99), (-1.16, 1.07), (-1.36, 1.07), (-1.12, 1.20), (-0.40, 0.68), (0.36, -0.30), (-1.20, -1.10), (0.30, -1.86),
    (-1.50, 2.15), (-2.20, 0.20), (1.70, -1.45), (-0.86, -2.32), (1.58, 0.30), (0.52, 1.33), (-1.66, -2.75), (-0.60, 0.98),
]  # fmt: skip
"""Small parks: the block at each point is green."""
