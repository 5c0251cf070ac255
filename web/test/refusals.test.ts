/** A refusal in the language of the page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../src/api.ts";
import { lang } from "../src/i18n.ts";
import { refusalLine, refusalText } from "../src/refusals.ts";

const refused = (zh: ApiError["zh"]): ApiError => new ApiError("bad_input", "", 422, "correct it", "the place", "must be known", zh);

test("each part is told in Chinese where the server has it, else as it was said", () => {
  lang.value = "zh";
  assert.deepEqual(refusalText(refused({ value: "地点", rule: "须为已知项", next_step: "更正它" })), { value: "地点", rule: "须为已知项", next: "更正它" });
  assert.deepEqual(refusalText(refused({ value: null, rule: "须为已知项", next_step: null })), { value: "the place", rule: "须为已知项", next: "correct it" });
  assert.equal(refusalLine(refused({ value: "地点", rule: "须为已知项", next_step: "更正它" })), "地点：须为已知项。更正它");
});

test("in English it is told as it was said", () => {
  lang.value = "en";
  assert.equal(refusalLine(refused({ value: "地点", rule: "须为已知项", next_step: "更正它" })), "the place must be known — correct it");
});
