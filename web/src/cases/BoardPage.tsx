import { useEffect, useRef, useState } from "preact/hooks";
import { say } from "../desk.ts";
import { integer, named, t } from "../i18n.ts";
import { useAsked } from "../parts/useAsked.ts";
import { useModal } from "../parts/useModal.ts";
import { useOnce } from "../parts/useOnce.ts";
import { address, ask, hrefOf } from "./address.ts";
import { cases, type Brief, type Case, type Count, type Kind, type Line, type Step } from "./api.ts";
import { filterOf } from "./filter.ts";
import { kinds, rounds } from "./known.ts";
import { AreaPicker, LIGHTS, Lamp, Refusal } from "./parts.tsx";
import { StepForm, isPlain } from "./StepForm.tsx";
import { useList } from "./useList.ts";
import { leftText, placeText, titleOf } from "./words.ts";

const SIZE = 20;

interface Chosen {
  one: Case;
  step: Step;
  history: Line[];
}

/** The board: the states of one type side by side. A step is taken from a card's menu, never by drawing it about. */
export function BoardPage() {
  const asked = address.value.ask;
  const filter = filterOf(asked, ["state", "light", "type", "q", "mine"]);
  filter.delete("closed");
  const counted = useAsked(`board ${filter.toString()}`, rounds.value, () => cases.counts(filter));
  const counts = counted.answer ?? [];
  const type = asked.get("type") ?? busiest(counts) ?? kinds.value[0]?.id ?? "";
  const kind = kinds.value.find((one) => one.id === type);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  return (
    <div class="board-page">
      <div class="board-head">
        <label>
          <span>{t("cases.type")}</span>
          <select value={type} onChange={(change) => ask({ type: change.currentTarget.value })} data-test="board-type">
            {kinds.value.map((one) => (
              <option key={one.id} value={one.id}>
                {named(one.label, one.id)} ({integer(counts.filter((each) => each.type === one.id).reduce((n, each) => n + each.n_cases, 0))})
              </option>
            ))}
          </select>
        </label>
        <AreaPicker value={asked.get("area") ?? ""} pick={(area) => ask({ area })} label={t("cases.area")} test="board-area" />
      </div>
      {kind && (
        <div class="board-columns" data-test="board">
          {Object.keys(kind.states).map((state) => (
            <Column key={`${kind.id} ${state}`} kind={kind} state={state} filter={filter} counts={counts.filter((one) => one.type === kind.id && one.state === state)} choose={setChosen} />
          ))}
        </div>
      )}
      {kind && chosen && <StepDialog key={`${chosen.one.id} ${chosen.step.id}`} kind={kind} chosen={chosen} close={() => setChosen(null)} />}
    </div>
  );
}

function busiest(counts: Count[]): string | undefined {
  const n = new Map<string, number>();
  for (const one of counts) n.set(one.type, (n.get(one.type) ?? 0) + one.n_cases);
  return [...n].sort((a, b) => b[1] - a[1])[0]?.[0];
}

function Column({ kind, state, filter, counts, choose }: { kind: Kind; state: string; filter: URLSearchParams; counts: Count[]; choose: (chosen: Chosen) => void }) {
  const asked = new URLSearchParams(filter);
  asked.set("type", kind.id);
  asked.set("state", state);
  const over = kind.closed.includes(state);
  const listed = useList(asked, over ? "changed" : "due", SIZE);
  const total = counts.reduce((n, one) => n + one.n_cases, 0);
  return (
    <section class={`board-column${over ? " is-closed" : ""}`} aria-label={named(kind.states[state], state)} data-test={`column-${state}`}>
      <header>
        <h3>
          {named(kind.states[state], state)} <span class="quiet">{integer(total)}</span>
        </h3>
        <p>
          {LIGHTS.filter((light) => light !== "none").map((light) => {
            const n = counts.filter((one) => one.light === light).reduce((sum, one) => sum + one.n_cases, 0);
            return n > 0 ? (
              <span key={light}>
                <Lamp light={light} /> {integer(n)}
              </span>
            ) : null;
          })}
        </p>
      </header>
      <ul>
        {listed.cases.map((one) => (
          <li key={one.id}>
            <BoardCard one={one} kind={kind} choose={choose} />
          </li>
        ))}
      </ul>
      {listed.cases.length === 0 && <p class="quiet">{t(listed.busy ? "app.loading" : "cases.none_here")}</p>}
      {listed.fault ? <Refusal fault={listed.fault} /> : null}
      {listed.next !== null && (
        <button type="button" class="plain" disabled={listed.busy} onClick={() => void listed.more()}>
          {t("cases.more")}
        </button>
      )}
    </section>
  );
}

function BoardCard({ one, kind, choose }: { one: Brief; kind: Kind; choose: (chosen: Chosen) => void }) {
  return (
    <div class="board-card" data-test="board-card" data-case={one.id}>
      <a href={hrefOf("case", {}, one.id)}>{titleOf(one, kind)}</a>
      <p class="quiet">{placeText(one.area)}</p>
      <p class="board-foot">
        <Lamp light={one.light} />
        <span class={`case-due is-${one.light}`}>{leftText(one.due_at)}</span>
        {!one.forgotten && <StepMenu one={one} kind={kind} choose={choose} />}
      </p>
    </div>
  );
}

/** The steps that one's roles allow; asked for when the menu is opened, for a board shows more cards than anybody moves. */
function StepMenu({ one, kind, choose }: { one: Brief; kind: Kind; choose: (chosen: Chosen) => void }) {
  const [found, setFound] = useState<Chosen["one"] | null>(null);
  const [open, setOpen] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const [tried, setTried] = useState<Step | null>(null);
  const { busy, once } = useOnce();
  const box = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!open) return;
    const away = (pressed: Event): void => {
      if (!box.current?.contains(pressed.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", away);
    return () => removeEventListener("pointerdown", away);
  }, [open]);
  useEffect(() => {
    if (open && found) box.current?.querySelector<HTMLElement>(".step-list button")?.focus();
  }, [open, found]);
  const show = async (): Promise<void> => {
    setOpen(!open);
    setFound(null);
    setFault(null);
    if (!open) await cases.one(one.id).then(setFound, setFault);
  };
  const take = async (whole: Case, step: Step): Promise<void> => {
    setTried(step);
    try {
      if (isPlain(step)) {
        await cases.step(one.id, { step: step.id, filled: {}, evidence: {}, note: "", seen: whole.n_changes });
        say(t("cases.taken", { step: named(step.label, step.id) }));
      } else choose({ one: whole, step, history: await cases.history(one.id) });
      setOpen(false);
    } catch (refused) {
      setFault(refused);
    }
  };
  const moved = (key: KeyboardEvent): void => {
    const by = key.key === "ArrowDown" ? 1 : key.key === "ArrowUp" ? -1 : 0;
    const buttons = [...(box.current?.querySelectorAll<HTMLElement>(".step-list button") ?? [])];
    if (key.key === "Escape") {
      setOpen(false);
      box.current?.querySelector("button")?.focus();
    } else if (by !== 0 && buttons.length > 0) {
      const at = buttons.indexOf(document.activeElement as HTMLElement);
      buttons[(at + by + buttons.length) % buttons.length]!.focus();
      key.preventDefault();
    }
  };
  return (
    <span class="step-menu" ref={box} onKeyDown={moved}>
      <button type="button" class="plain" aria-haspopup="true" aria-expanded={open} aria-label={t("cases.steps_of", { title: titleOf(one, kind) })} onClick={() => void show()} data-test="card-steps">
        {t("cases.step")} ▾
      </button>
      {open && (
        <div class="step-list">
          <Refusal fault={fault} step={tried} />
          {!found && !fault && <p class="quiet">{t("app.loading")}</p>}
          {found?.steps.length === 0 && <p class="quiet">{t("cases.no_steps")}</p>}
          <ul>
            {found?.steps.map((step) => (
              <li key={step.id}>
                <button type="button" aria-busy={busy} onClick={() => void once(() => take(found, step))} data-test={`card-step-${step.id}`}>
                  {named(step.label, step.id)}
                  {!isPlain(step) && "…"}
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </span>
  );
}

function StepDialog({ kind, chosen, close }: { kind: Kind; chosen: Chosen; close: () => void }) {
  const [now, setNow] = useState(chosen);
  const dialog = useModal();
  const reread = async (): Promise<void> => {
    const [one, history] = await Promise.all([cases.one(chosen.one.id), cases.history(chosen.one.id)]);
    setNow({ ...now, one, history });
  };
  const end = (): void => dialog.current?.close();
  return (
    <dialog ref={dialog} class="dialog step-dialog" onClose={close} aria-label={named(chosen.step.label, chosen.step.id)}>
      <p class="quiet">{titleOf(now.one, kind)}</p>
      <StepForm one={now.one} kind={kind} step={chosen.step} history={now.history} done={end} reread={() => void reread().catch(() => undefined)} close={end} />
    </dialog>
  );
}
