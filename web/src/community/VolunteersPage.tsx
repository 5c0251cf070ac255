import { useEffect, useRef, useState } from "preact/hooks";
import { address, ask, hrefOf } from "../cases/address.ts";
import { AreaPicker, Refusal } from "../cases/parts.tsx";
import { dayText, placeText } from "../cases/words.ts";
import { dayOf } from "../cases/zone.ts";
import { now } from "../desk.ts";
import { integer, named, t, word } from "../i18n.ts";
import { useRowKeys } from "../parts/Keys.tsx";
import { TableScroll } from "../parts/TableScroll.tsx";
import { useAsked } from "../parts/useAsked.ts";
import { may } from "../staff.ts";
import { community, type Board, type Tally, type Volunteer } from "./api.ts";
import { InvitationsPanel } from "./InvitationsPanel.tsx";
import { allianceText, languagesText, learnBoard, news, skillsText, tradeText, useBeat } from "./known.ts";
import { KeySelect, namesOf } from "./parts.tsx";

const PART = 100;
const DUE_DAYS = [30, 90] as const;
const BEAT_MS = 20_000;
const SHOWN = ["joined", "left", "lapsed", "came", "minutes", "called", "said_yes"] as const;

/** Who has joined, by what they show of themselves; the alliances; and the invitations by which more come. */
export function VolunteersPage({ board }: { board: Board }) {
  const asked = address.value.ask;
  useBeat(BEAT_MS);
  useEffect(() => void learnBoard(), [news.value]);
  return (
    <div class="case-list-page">
      <aside class="case-filters" aria-label={t("cases.filters")}>
        <details class="fold" open={matchMedia("(min-width: 721px)").matches}>
          <summary>{t("cases.filters")}</summary>
          <Filters asked={asked} board={board} />
        </details>
      </aside>
      <section class="case-results community-main" aria-label={t("community.volunteers")}>
        <Numbers board={board} />
        {may("volunteers.act") && <InvitationsPanel board={board} />}
        <People asked={asked} />
        <Alliances board={board} chosen={asked.get("alliance") ?? ""} />
      </section>
    </div>
  );
}

function Filters({ asked, board }: { asked: URLSearchParams; board: Board }) {
  const of = (name: string): string => asked.get(name) ?? "";
  const narrowed = ["area", "alliance", "trade", "skill", "due"].some((name) => asked.has(name));
  return (
    <>
      <AreaPicker value={of("area")} pick={(area) => ask({ area })} label={t("community.home")} test="volunteer-area" />
      <KeySelect label={t("community.alliance")} none={t("community.any_alliance")} of={namesOf(board.alliances)} value={of("alliance")} pick={(alliance) => ask({ alliance })} test="volunteer-alliance" n={Object.fromEntries(board.alliances.map((one) => [one.id, one.members]))} />
      <KeySelect label={t("community.trade")} none={t("community.any_trade")} of={board.trades} value={of("trade")} pick={(trade) => ask({ trade })} test="volunteer-trade" n={board.by_trade} />
      <KeySelect label={t("community.skill")} none={t("community.any_skill")} of={board.skills} value={of("skill")} pick={(skill) => ask({ skill })} test="volunteer-skill" n={board.by_skill} />
      <label class="block">
        <span>{t("community.missing")}</span>
        <select value={of("due")} onChange={(change) => ask({ due: change.currentTarget.value })} data-test="volunteer-due">
          <option value="">{t("community.all_of_them")}</option>
          {DUE_DAYS.map((days) => (
            <option key={days} value={days}>
              {t("community.consent_due", { n: days })}
            </option>
          ))}
        </select>
      </label>
      <p class="quiet hint">{t("community.least")}</p>
      {narrowed && (
        <a class="plain" href={hrefOf("volunteers")} data-test="volunteer-clear">
          {t("cases.clear")}
        </a>
      )}
    </>
  );
}

/** How many there are, and what this month came to: numbers that name nobody. */
function Numbers({ board }: { board: Board }) {
  const told = useAsked<Tally[]>("tallies", news.value, () => community.tallies());
  const month = dayOf(now.value ?? Date.now()).slice(0, 7);
  const sums = new Map<string, number>();
  for (const one of told.answer ?? []) if (one.month === month) sums.set(one.what, (sums.get(one.what) ?? 0) + one.n);
  return (
    <ul class="numbers" aria-label={t("community.numbers")}>
      <li>
        <span class="quiet">{t("community.volunteers")}</span>
        <strong data-test="n-volunteers">{integer(board.volunteers)}</strong>
      </li>
      {SHOWN.filter((what) => sums.get(what)).map((what) => (
        <li key={what}>
          <span class="quiet">{word("tally_of", what)}</span>
          <strong>{integer(what === "minutes" ? Math.round(sums.get(what)! / 60) : sums.get(what)!)}</strong>
        </li>
      ))}
    </ul>
  );
}

interface Listed {
  people: Volunteer[];
  next: number | null;
  fault: unknown;
  key: string;
}

function filterOf(asked: URLSearchParams): URLSearchParams {
  const made = new URLSearchParams();
  for (const name of ["area", "alliance", "trade", "skill"]) if (asked.get(name)) made.set(name, asked.get(name)!);
  if (asked.get("due")) made.set("due_days", asked.get("due")!);
  return made;
}

function People({ asked }: { asked: URLSearchParams }) {
  const filter = filterOf(asked);
  const key = filter.toString();
  const [listed, setListed] = useState<Listed | null>(null);
  const box = useRef<HTMLTableSectionElement>(null);
  const current = useRef(key);
  current.current = key;
  const read = async (after: number, before: Volunteer[], limit: number): Promise<void> => {
    filter.set("after", String(after));
    filter.set("limit", String(limit));
    try {
      const part = await community.volunteers(filter);
      if (current.current === key) setListed({ people: [...before, ...part.volunteers], next: part.next, fault: null, key });
    } catch (fault) {
      if (current.current === key) setListed({ people: before, next: null, fault, key });
    }
  };
  const n = listed?.key === key ? listed.people.length : 0;
  useEffect(() => void read(0, [], Math.min(500, Math.max(PART, n))), [key, news.value]);
  useRowKeys(box, "tr");
  if (!listed || listed.key !== key) return <p class="empty">{t("app.loading")}</p>;
  const { people, next, fault } = listed;
  return (
    <section class="community-part" data-test="volunteers">
      <Refusal fault={fault} />
      {people.length === 0 && !fault && <p class="empty">{t(key ? "community.none_so" : "community.nobody")}</p>}
      {people.length > 0 && (
        <TableScroll name={t("community.volunteers")}>
          <table class="table people">
            <thead>
              <tr>
                {(["shows", "home", "skill", "language", "alliance", "trade", "consent"] as const).map((head) => (
                  <th key={head} scope="col">
                    {t(`community.${head}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody ref={box}>
              {people.map((one) => (
                <Person key={one.id} one={one} />
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
      {next !== null ? (
        <p class="case-more">
          <button type="button" class="plain" onClick={() => void read(next, people, PART)} data-test="more">
            {t("cases.more")}
          </button>
        </p>
      ) : (
        people.length > 0 && <p class="case-more quiet">{t("community.all_shown", { n: integer(people.length) })}</p>
      )}
    </section>
  );
}

function Person({ one }: { one: Volunteer }) {
  const days = one.consent_ends_at && now.value !== null ? Math.ceil((Date.parse(one.consent_ends_at) - now.value) / 86_400_000) : null;
  const due = days !== null && days <= DUE_DAYS[0];
  return (
    <tr tabIndex={0} data-test="volunteer">
      <th scope="row">{one.name}</th>
      <td data-head={t("community.home")}>{placeText(one.home)}</td>
      <td data-head={t("community.skill")}>{skillsText(one.skills).join(t("list.comma"))}</td>
      <td data-head={t("community.language")}>{languagesText(one.languages).join(t("list.comma"))}</td>
      <td data-head={t("community.alliance")}>{one.alliances.map(allianceText).join(t("list.comma"))}</td>
      <td data-head={t("community.trade")}>{tradeText(one.trade)}</td>
      <td data-head={t("community.consent")} class={due ? "is-due" : ""}>
        {one.consent_ends_at && dayText(dayOf(one.consent_ends_at))}
        {due && <b class="tag">{t("community.days_left", { n: integer(Math.max(0, days)) })}</b>}
      </td>
    </tr>
  );
}

function Alliances({ board, chosen }: { board: Board; chosen: string }) {
  if (board.alliances.length === 0) return null;
  return (
    <section class="community-part" data-test="alliances">
      <h3>{t("community.alliances", { n: integer(board.alliances.length) })}</h3>
      <ul class="alliance-grid">
        {board.alliances.map((one) => (
          <li key={one.id}>
            <button type="button" class="alliance-card" aria-pressed={chosen === one.id} onClick={() => ask({ alliance: chosen === one.id ? null : one.id })} data-test={`alliance-${one.id}`}>
              <strong>{named(one.name, one.id)}</strong>
              <span class="quiet">
                {named(one.trade_name, one.trade)} · {placeText(one.area, 1)}
              </span>
              <span>{t("community.members", { n: integer(one.members) })}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
