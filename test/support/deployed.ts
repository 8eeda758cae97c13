import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Rule {
  alert: string;
  expr: string;
}

export interface Panel {
  id: number;
  title: string;
  datasource: { uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string; datasource: { uid: string } }[];
}

export interface Dashboard {
  uid: string;
  title: string;
  panels: Panel[];
}

/** A file of the repository that is YAML, read. */
export function yaml(path: string): unknown {
  return parse(readFileSync(path, 'utf8'), { merge: true });
}

/** The alerts that Prometheus is given. */
export function alertRules(): Rule[] {
  const { groups } = yaml('deploy/prometheus/alerts.yml') as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** The dashboards that Grafana is given. */
export function dashboards(): Dashboard[] {
  return ['traffic', 'delivery'].map(
    (name) => JSON.parse(readFileSync(`deploy/grafana/dashboards/${name}.json`, 'utf8')) as Dashboard,
  );
}
