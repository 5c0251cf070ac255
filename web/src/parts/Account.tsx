import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api } from "../api.ts";
import { say, told } from "../desk.ts";
import { named, t } from "../i18n.ts";
import { me, signOut } from "../staff.ts";
import { Icon } from "./Icon.tsx";
import { useOnce } from "./useOnce.ts";

/** Who is signed in, in which offices; nothing where nobody has to. */
export function Account() {
  const shown = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  const changing = useSignal(false);
  useEffect(() => {
    const away = (pressed: Event): void => {
      if (!box.current?.contains(pressed.target as Node)) shown.value = false;
    };
    const escape = (key: KeyboardEvent): void => {
      if (key.key !== "Escape" || !shown.peek()) return;
      const inside = box.current?.querySelector(".account-card")?.contains(document.activeElement);
      shown.value = false;
      if (inside) box.current?.querySelector("button")?.focus();
    };
    addEventListener("pointerdown", away);
    addEventListener("keydown", escape);
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("keydown", escape);
    };
  }, []);
  const account = me.value?.account;
  if (!account) return null;
  return (
    <div class="account" ref={box}>
      <button type="button" class="round" aria-expanded={shown.value} aria-label={t("account.label", { name: account.shown_name ?? "" })} onClick={() => (shown.value = !shown.value)} data-test="account">
        <Icon name="account" />
      </button>
      {shown.value && (
        <div class="account-card" data-test="account-card">
          <strong>{account.shown_name}</strong>
          <ul class="quiet">
            {me.value!.offices.map((office) => (
              <li key={office.id}>{named(office.name)}</li>
            ))}
          </ul>
          {changing.value ? (
            <Password />
          ) : (
            <div class="buttons">
              <button type="button" class="plain" onClick={() => (changing.value = true)} data-test="change-password">
                {t("account.password")}
              </button>
              <button type="button" class="plain" onClick={() => void signOut().catch((error: unknown) => say(told(error)))} data-test="sign-out">
                {t("account.sign_out")}
              </button>
            </div>
          )}
        </div>
      )}
    </div>
  );
}

function Password() {
  const fault = useSignal("");
  const { busy, once } = useOnce();
  const submit = async (given: FormData): Promise<void> => {
    try {
      await api.changePassword(String(given.get("old") ?? "") || null, String(given.get("new") ?? ""));
      location.reload();
    } catch (error) {
      fault.value = told(error);
    }
  };
  return (
    <form
      onSubmit={(sent) => {
        sent.preventDefault();
        const given = new FormData(sent.currentTarget);
        void once(() => submit(given));
      }}
    >
      <label>
        {t("account.old")}
        <input name="old" type="password" autocomplete="current-password" />
      </label>
      <label>
        {t("account.new")}
        <input name="new" type="password" autocomplete="new-password" required minLength={12} />
      </label>
      <p class="quiet">{t("account.then")}</p>
      {fault.value && (
        <p class="is-error" role="alert">
          {fault.value}
        </p>
      )}
      <button type="submit" class="primary" aria-busy={busy}>
        {t("account.set")}
      </button>
    </form>
  );
}
