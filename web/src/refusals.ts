/** What the server refuses, in the language of the page: it says each part in both. */

import type { ApiError } from "./api.ts";
import { lang } from "./i18n.ts";
import type { InChinese } from "./shapes.ts";

export interface Said {
  value: string;
  rule: string;
  next: string;
}

/** A fault that stands in an answer, as of one row of many. */
export interface RowFault {
  value: string;
  rule: string;
  next_step: string;
  zh: InChinese;
}

function said(value: string, rule: string, next: string, zh: InChinese | null): Said {
  if (lang.value !== "zh") return { value, rule, next };
  return { value: zh?.value ?? value, rule: zh?.rule ?? rule, next: zh?.next_step ?? next };
}

/** The three parts of a refusal. */
export const refusalText = (fault: ApiError): Said => said(fault.value, fault.rule, fault.nextStep, fault.zh);

export const rowText = (fault: RowFault): Said => said(fault.value, fault.rule, fault.next_step, fault.zh);

/** A refusal as one line of text. */
export function refusalLine(fault: ApiError): string {
  const { value, rule, next } = refusalText(fault);
  return lang.value === "zh" ? `${value}：${rule}。${next}` : `${value} ${rule} — ${next}`;
}
