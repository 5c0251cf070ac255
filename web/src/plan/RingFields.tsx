import { t, type Key } from "../i18n.ts";
import { Beside, marksOf, NumberField, type Fault } from "./fields.tsx";

/** A ring as it is being written: shares in per cent, numbers as they were typed. */
export interface RingDraft {
  within: string;
  kinds: string[];
  key: boolean;
  share: string;
  reliability: string;
}

const KINDS = ["foot", "bicycle", "vehicle"];

interface Bound {
  k: number;
  ring: RingDraft;
  fault: Fault | null;
  set: (change: Partial<RingDraft>) => void;
  remove: (() => void) | null;
}

/** One promise: within which time, by whom, where, for what share of the demand, and how surely. */
export function RingFields({ k, ring, fault, set, remove }: Bound) {
  const at = `rings.${k}`;
  const who = `${at}.kinds`;
  const where = `${at}.key`;
  return (
    <fieldset class="ring" data-test={`ring-${k}`}>
      <legend>{t("plan.ring", { n: k + 1 })}</legend>
      {remove && (
        <button type="button" class="link ring-remove" onClick={remove} aria-label={t("plan.ring_remove_n", { n: k + 1 })} data-test={`ring-${k}-remove`}>
          {t("plan.ring_remove")}
        </button>
      )}
      <NumberField name={`${at}.within_s`} label={t("plan.within")} unit={t("plan.unit_s")} value={ring.within} set={(within) => set({ within })} fault={fault} test={`ring-${k}-within`} />
      <label>
        <span>{t("plan.where")}</span>
        <select value={ring.key ? "key" : "all"} onChange={(change) => set({ key: change.currentTarget.value === "key" })} {...marksOf(where, fault)} data-test={`ring-${k}-where`}>
          <option value="all">{t("plan.everywhere")}</option>
          <option value="key">{t("plan.in_key")}</option>
        </select>
      </label>
      <Beside name={`${at}.within_s`} label={t("plan.within")} typed={ring.within} unit={t("plan.unit_s")} fault={fault} />
      <Beside name={where} label={t("plan.where")} typed={t("plan.in_key")} fault={fault} />
      <div class="ring-kinds" role="group" aria-label={t("plan.by_whom")} {...marksOf(who, fault)}>
        {KINDS.map((kind) => (
          <label key={kind}>
            <input
              type="checkbox"
              checked={ring.kinds.includes(kind)}
              onChange={(change) => set({ kinds: KINDS.filter((one) => (one === kind ? change.currentTarget.checked : ring.kinds.includes(one))) })}
              data-test={`ring-${k}-${kind}`}
            />
            {t(`plan.kind.${kind}` as Key)}
          </label>
        ))}
      </div>
      <Beside name={who} label={t("plan.by_whom")} typed={ring.kinds.map((kind) => t(`plan.kind.${kind}` as Key)).join(", ") || t("plan.nobody")} fault={fault} />
      <NumberField name={`${at}.share`} label={t("plan.share_promised")} unit="%" value={ring.share} set={(share) => set({ share })} fault={fault} test={`ring-${k}-share`} />
      <NumberField name={`${at}.reliability`} label={t("plan.reliability")} unit="%" value={ring.reliability} set={(reliability) => set({ reliability })} fault={fault} test={`ring-${k}-reliability`} />
      <Beside name={`${at}.share`} label={t("plan.share_promised")} typed={ring.share} unit="%" fault={fault} />
      <Beside name={`${at}.reliability`} label={t("plan.reliability")} typed={ring.reliability} unit="%" fault={fault} />
    </fieldset>
  );
}
