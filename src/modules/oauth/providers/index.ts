import { apple, type AppleSettings } from './apple.js';
import { facebook } from './facebook.js';
import { github } from './github.js';
import { google } from './google.js';
import { type ClientSettings, type Provider, type ProviderName, type Surroundings } from './provider.js';

export { type Attempt, type Profile, type Provider, type ProviderName, PROVIDERS, type Returned } from './provider.js';

/** What is configured of each provider; one without settings is not offered. */
export interface ProviderSettings {
  google?: ClientSettings | undefined;
  github?: ClientSettings | undefined;
  apple?: AppleSettings | undefined;
  facebook?: ClientSettings | undefined;
}

/** The providers that are configured, by name. */
export function createProviders(
  settings: ProviderSettings,
  surroundings: Surroundings,
): ReadonlyMap<ProviderName, Provider> {
  const configured = [
    settings.google && google(settings.google, surroundings),
    settings.github && github(settings.github, surroundings),
    settings.apple && apple(settings.apple, surroundings),
    settings.facebook && facebook(settings.facebook, surroundings),
  ].filter((provider) => provider !== undefined);
  return new Map(configured.map((provider) => [provider.name, provider]));
}
