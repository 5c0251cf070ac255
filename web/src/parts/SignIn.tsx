import { useSignal } from "@preact/signals";
import { told } from "../desk.ts";
import { lang, setLang, t } from "../i18n.ts";
import { door, entering, firstLink, lapsed, makeFirst, me, signIn } from "../staff.ts";
import { useModal } from "./useModal.ts";

/** What stands before the desk: a name and a password, or the making of the first account. */
export function SignIn({ then }: { then: () => void }) {
  const first = me.value?.state === "first";
  const locked = first && firstLink.value === "";
  return (
    <main class="waiting">
      <div class="sign-in">
        <img src="/icon.svg" alt="" width="44" height="44" />
        <h1>{t("app.name")}</h1>
        {entering.value && (
          <p class="is-error" role="alert">
            {entering.value}
          </p>
        )}
        {locked ? <p data-test="locked">{t("sign_in.locked")}</p> : <Form first={first} then={then} />}
        <button type="button" class="link" onClick={() => setLang(lang.value === "zh" ? "en" : "zh")} lang={lang.value === "zh" ? "en" : "zh"}>
          {lang.value === "zh" ? "English" : "中文"}
        </button>
      </div>
    </main>
  );
}

/** Over whatever somebody was doing: they are signed in no longer, and what they have written waits until they are. */
export function SignInAgain() {
  return lapsed.value ? <Again /> : null;
}

function Again() {
  const dialog = useModal();
  return (
    <dialog ref={dialog} class="dialog sign-in" onCancel={() => door.turnAway()} aria-labelledby="again-title" data-test="sign-in-again">
      <h2 id="again-title">{t("sign_in.again")}</h2>
      <Form first={false} then={() => undefined} why={t("sign_in.kept", { name: me.value?.account?.shown_name ?? "" })} />
      <button type="button" class="plain" onClick={() => door.turnAway()} data-test="sign-in-later">
        {t("sign_in.later")}
      </button>
    </dialog>
  );
}

function Form({ first, then, why }: { first: boolean; then: () => void; why?: string }) {
  const fault = useSignal("");
  const busy = useSignal(false);
  const submit = async (sent: SubmitEvent): Promise<void> => {
    sent.preventDefault();
    const given = new FormData(sent.currentTarget as HTMLFormElement);
    const text = (name: string) => String(given.get(name) ?? "");
    busy.value = true;
    fault.value = "";
    try {
      if (first) await makeFirst(text("name"), text("shown"), text("password"));
      else await signIn(text("name"), text("password"));
      then();
    } catch (error) {
      fault.value = told(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <form onSubmit={(sent) => void submit(sent)}>
      <p class="quiet">{why ?? t(first ? "sign_in.first" : "sign_in.ask")}</p>
      <label>
        {t("sign_in.name")}
        <input name="name" autocomplete="username" required maxLength={64} autofocus data-test="sign-in-name" />
      </label>
      {first && (
        <label>
          {t("sign_in.shown")}
          <input name="shown" autocomplete="name" required maxLength={64} data-test="sign-in-shown" />
        </label>
      )}
      <label>
        {t("sign_in.password")}
        <input name="password" type="password" autocomplete={first ? "new-password" : "current-password"} required minLength={first ? 12 : 1} data-test="sign-in-password" />
      </label>
      {first && <p class="quiet">{t("sign_in.rule")}</p>}
      {fault.value && (
        <p class="is-error" role="alert" data-test="sign-in-fault">
          {fault.value}
        </p>
      )}
      <button type="submit" class="primary" disabled={busy.value} data-test="sign-in-go">
        {t(first ? "sign_in.make" : "sign_in.go")}
      </button>
    </form>
  );
}
