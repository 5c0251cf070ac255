import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { go, hrefOf } from "../cases/address.ts";
import { say, told } from "../desk.ts";
import { t } from "../i18n.ts";
import { useOnce } from "../parts/useOnce.ts";
import { plans, type Making, type Usual, type Wish } from "./api.ts";
import { Beside, faultOf, noNumber, NumberField, numberOf, type Fault } from "./fields.tsx";
import { KeyAreas } from "./KeyAreas.tsx";
import { RingFields, type RingDraft } from "./RingFields.tsx";

const MOST_RINGS = 6;
const ANOTHER: RingDraft = { within: "480", kinds: ["vehicle"], key: false, share: "100", reliability: "90" };

/** Per cent of a share and back, without the last digits of binary fractions. */
const percent = (share: number): string => String(Math.round(share * 1e6) / 1e4);
const share = (typed: string): number => Math.round(numberOf(typed) * 1e4) / 1e6;

const draftsOf = (usual: Usual): RingDraft[] =>
  usual.rings.map((one) => ({ within: String(one.within_s), kinds: one.kinds, key: one.key, share: percent(one.share), reliability: percent(one.reliability) }));

/** What is asked of a plan, with the usual values to begin with. How far one is stays in sight above the button. */
export function WishForm({ busy, begun, children }: { busy: boolean; begun: (making: Making) => void; children: ComponentChildren }) {
  const [usual, setUsual] = useState<Usual | null>(null);
  const [rings, setRings] = useState<RingDraft[]>([]);
  const [key, setKey] = useState<string[]>([]);
  const [numbers, setNumbers] = useState({ vehicles: "7", seconds: "60", calls: "", minutes: "30" });
  const [fault, setFault] = useState<Fault | null>(null);
  const { busy: sending, once } = useOnce();
  const box = useRef<HTMLFormElement>(null);
  useEffect(() => {
    plans.usual().then(
      (found) => {
        setUsual(found);
        setRings(draftsOf(found));
        setKey(found.key);
      },
      (broken: unknown) => say(told(broken)),
    );
  }, []);
  useEffect(() => {
    if (fault) box.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [fault]);
  const begin = async (): Promise<void> => {
    setFault(null);
    const asked: [string, string][] = rings.flatMap((ring, k): [string, string][] => [
      [`rings.${k}.within_s`, ring.within],
      [`rings.${k}.share`, ring.share],
      [`rings.${k}.reliability`, ring.reliability],
    ]);
    asked.push(["vehicles", numbers.vehicles], ["seconds", numbers.seconds]);
    if (numbers.calls !== "") asked.push(["minutes", numbers.minutes]);
    const empty = asked.find(([, typed]) => Number.isNaN(numberOf(typed)));
    if (empty) return setFault(noNumber(empty[0]));
    try {
      begun(await plans.begin(wishOf(rings, key, numbers)));
      go(hrefOf("plans"));
    } catch (refused) {
      const found = faultOf(refused, namesOf(rings, key));
      if (found) setFault(found);
      else say(told(refused));
    }
  };
  const field = (name: keyof typeof numbers, label: string) => (
    <>
      <NumberField name={name} label={label} value={numbers[name]} set={(value) => setNumbers((was) => ({ ...was, [name]: value }))} fault={fault} test={`plan-${name}`} />
      <Beside name={name} label={label} typed={numbers[name]} fault={fault} />
    </>
  );
  const change = (k: number, to: Partial<RingDraft>): void => setRings((was) => was.map((one, at) => (at === k ? { ...one, ...to } : one)));
  return (
    <form
      ref={box}
      class="plan-form"
      noValidate // refusals stand beside their fields, in the language of the page
      onSubmit={(pressed) => {
        pressed.preventDefault();
        void once(begin);
      }}
      data-test="plan-form"
    >
      <h2>{t("plan.new")}</h2>
      {!usual && <p class="empty">{t("app.loading")}</p>}
      {rings.map((ring, k) => (
        <RingFields key={k} k={k} ring={ring} fault={fault} set={(to) => change(k, to)} remove={rings.length > 1 ? () => (setFault(null), setRings(rings.filter((_, at) => at !== k))) : null} />
      ))}
      {usual && rings.length < MOST_RINGS && (
        <button type="button" class="plain" onClick={() => setRings([...rings, ANOTHER])} data-test="ring-add">
          {t("plan.ring_add")}
        </button>
      )}
      {usual && <KeyAreas chosen={key} names={usual.names} fault={fault} set={(chosen) => (setFault(null), setKey(chosen))} />}
      {field("vehicles", t("plan.vehicles_best"))}
      {field("seconds", t("plan.seconds"))}
      {field("calls", t("plan.calls"))}
      {numbers.calls !== "" && field("minutes", t("plan.minutes"))}
      <p class="quiet">{t("plan.calls_note")}</p>
      <Beside name="" label="" typed="" fault={fault} />
      <div class="plan-foot">
        {children}
        <button type="submit" class="primary" disabled={busy || !usual} aria-busy={sending} data-test="plan-begin">
          {t("plan.begin")}
        </button>
      </div>
    </form>
  );
}

function namesOf(rings: RingDraft[], key: string[]): string[] {
  const of = ["within_s", "kinds", "key", "share", "reliability"];
  return ["vehicles", "seconds", "calls", "minutes", "key", ...key.map((_, k) => `key.${k}`), ...rings.flatMap((_, k) => of.map((name) => `rings.${k}.${name}`))];
}

function wishOf(rings: RingDraft[], key: string[], numbers: Record<"vehicles" | "seconds" | "calls" | "minutes", string>): Wish {
  return {
    rings: rings.map((one) => ({ within_s: numberOf(one.within), kinds: one.kinds, key: one.key, share: share(one.share), reliability: share(one.reliability) })),
    key,
    vehicles: numberOf(numbers.vehicles),
    seconds: numberOf(numbers.seconds),
    calls: numbers.calls === "" ? null : numberOf(numbers.calls),
    minutes: numbers.calls === "" ? 30 : numberOf(numbers.minutes),
  };
}
