interface Reading {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/**
 * One metric as Prometheus reads it, made only when it is read. prom-client's own counters and histograms hash their
 * labels at each observation, which is too much for what happens for every message and device; these add to plain numbers.
 */
export abstract class Series {
  constructor(
    readonly name: string,
    readonly help: string,
    readonly type: 'counter' | 'gauge' | 'histogram',
  ) {}

  protected abstract readings(): Reading[];

  /** The shape that prom-client's registry asks of each of its metrics. */
  async get(): Promise<object> {
    return { name: this.name, help: this.help, type: this.type, aggregator: 'sum', values: this.readings() };
  }
}

export class Counter extends Series {
  private total = 0;

  constructor(name: string, help: string) {
    super(name, help, 'counter');
  }

  /** Counts only forward: anything but a positive number is nothing. */
  add(count: number): void {
    if (count > 0 && count < Number.POSITIVE_INFINITY) this.total += count;
  }

  protected override readings(): Reading[] {
    return [{ labels: {}, value: this.total }];
  }
}

export class Gauge extends Series {
  private value = 0;
  private source: (() => number) | undefined;

  constructor(name: string, help: string) {
    super(name, help, 'gauge');
  }

  set(value: number): void {
    if (Number.isFinite(value)) this.value = value;
  }

  /** From now on the value is asked for when it is read. */
  readFrom(source: () => number): void {
    this.source = source;
  }

  protected override readings(): Reading[] {
    return [{ labels: {}, value: this.source?.() ?? this.value }];
  }
}

/** Counts under labels from closed lists, so that no client can make the number of series grow. */
export class LabelledCounter extends Series {
  private readonly indexes: ReadonlyMap<string, number>[];
  private readonly counts: Float64Array;

  /** `labels`: each label with its allowed values; the last of them stands for whatever is not in the list. */
  constructor(
    name: string,
    help: string,
    private readonly labels: readonly (readonly [label: string, values: readonly string[]])[],
  ) {
    super(name, help, 'counter');
    this.indexes = labels.map(([, values]) => new Map(values.map((value, index) => [value, index])));
    this.counts = new Float64Array(labels.reduce((size, [, values]) => size * values.length, 1));
  }

  add(first: string, second = ''): void {
    let place = this.indexOf(0, first);
    if (this.labels.length > 1) place = place * this.labels[1]![1].length + this.indexOf(1, second);
    this.counts[place]! += 1;
  }

  protected override readings(): Reading[] {
    const [[firstLabel, firstValues], second] = this.labels as [
      readonly [string, readonly string[]],
      ...typeof this.labels,
    ];
    const readings: Reading[] = [];
    this.counts.forEach((value, place) => {
      if (value === 0) return;
      if (!second) {
        readings.push({ labels: { [firstLabel]: firstValues[place]! }, value });
        return;
      }
      const [label, values] = second;
      const row = Math.floor(place / values.length);
      readings.push({ labels: { [firstLabel]: firstValues[row]!, [label]: values[place % values.length]! }, value });
    });
    return readings;
  }

  private indexOf(label: number, value: string): number {
    return this.indexes[label]!.get(value) ?? this.labels[label]![1].length - 1;
  }
}

/** The counts of one histogram with one set of labels. */
export class Distribution {
  private readonly counts: Float64Array;
  private sum = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** A value below zero (a clock that was set back) counts as zero; what is no number is left out. */
  observe(value: number): void {
    if (!(value < Number.POSITIVE_INFINITY)) return;
    const observed = value > 0 ? value : 0;
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && observed > bounds[bucket]!) bucket += 1;
    this.counts[bucket]! += 1;
    this.sum += observed;
  }

  readings(name: string, labels: Readonly<Record<string, string | number>>): Reading[] {
    const readings: Reading[] = [];
    let below = 0;
    this.bounds.forEach((bound, bucket) => {
      below += this.counts[bucket]!;
      readings.push({ metricName: `${name}_bucket`, labels: { le: bound, ...labels }, value: below });
    });
    below += this.counts[this.bounds.length]!;
    readings.push({ metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: below });
    readings.push({ metricName: `${name}_sum`, labels, value: this.sum });
    readings.push({ metricName: `${name}_count`, labels, value: below });
    return readings;
  }
}

export class Histogram extends Series {
  private readonly distribution: Distribution;

  constructor(name: string, help: string, bounds: readonly number[]) {
    super(name, help, 'histogram');
    this.distribution = new Distribution(bounds);
  }

  observe(value: number): void {
    this.distribution.observe(value);
  }

  protected override readings(): Reading[] {
    return this.distribution.readings(this.name, {});
  }
}

/** A number for each partition that was ever told of. */
export class PartitionGauge extends Series {
  private readonly values = new Map<number, number>();
  private source: (() => ReadonlyMap<number, number>) | null = null;

  constructor(
    name: string,
    help: string,
    private readonly partitionsMax: number,
  ) {
    super(name, help, 'gauge');
  }

  set(partition: number, value: number): void {
    if (partition >= 0 && partition < this.partitionsMax && Number.isInteger(partition) && Number.isFinite(value)) {
      this.values.set(partition, value);
    }
  }

  /** The values are asked for when they are read, instead of being told before. */
  readFrom(values: () => ReadonlyMap<number, number>): void {
    this.source = values;
  }

  protected override readings(): Reading[] {
    if (this.source) {
      this.values.clear();
      for (const [partition, value] of this.source()) this.set(partition, value);
    }
    return [...this.values].map(([partition, value]) => ({ labels: { partition }, value }));
  }
}

/** A number for each name that was ever told of; names beyond the bound are left out. */
export class NamedGauge extends Series {
  private readonly values = new Map<string, number>();

  constructor(
    name: string,
    help: string,
    private readonly label: string,
    private readonly namesMax: number,
  ) {
    super(name, help, 'gauge');
  }

  set(of: string, value: number): void {
    if (!Number.isFinite(value) || (!this.values.has(of) && this.values.size >= this.namesMax)) return;
    this.values.set(of, value);
  }

  protected override readings(): Reading[] {
    return [...this.values].map(([of, value]) => ({ labels: { [this.label]: of }, value }));
  }
}

/** Counts by names that are not known beforehand; beyond a bound they share the name `other`. */
export class NamedCounter extends Series {
  private readonly counts = new Map<string, number>();

  constructor(
    name: string,
    help: string,
    private readonly label: string,
    private readonly namesMax: number,
  ) {
    super(name, help, 'counter');
  }

  add(of: string): void {
    const known = this.counts.has(of) || this.counts.size < this.namesMax ? of : 'other';
    this.counts.set(known, (this.counts.get(known) ?? 0) + 1);
  }

  protected override readings(): Reading[] {
    return [...this.counts].map(([of, value]) => ({ labels: { [this.label]: of }, value }));
  }
}

/**
 * Counts by names that are not known beforehand and by what became of each; names beyond a bound share the name `other`. A
 * name that was told of shows every outcome, also those that never came, so that their first one is seen as an increase.
 */
export class OutcomeCounter extends Series {
  private readonly counts = new Map<string, Float64Array>();

  constructor(
    name: string,
    help: string,
    private readonly names: { label: string; max: number },
    private readonly outcomes: readonly string[],
  ) {
    super(name, help, 'counter');
  }

  /** An outcome that is none is not counted. */
  add(of: string, outcome: string): void {
    const place = this.outcomes.indexOf(outcome);
    if (place < 0) return;
    const known = this.counts.has(of) || this.counts.size < this.names.max ? of : 'other';
    const counts = this.counts.get(known) ?? new Float64Array(this.outcomes.length);
    counts[place]! += 1;
    this.counts.set(known, counts);
  }

  protected override readings(): Reading[] {
    return [...this.counts].flatMap(([of, counts]) =>
      this.outcomes.map((outcome, place) => ({ labels: { [this.names.label]: of, outcome }, value: counts[place]! })),
    );
  }
}

/** 1 or 0 for each part of a whole, asked when it is read. */
export class PartsGauge extends Series {
  private source: (() => Promise<ReadonlyMap<string, boolean>>) | undefined;

  constructor(
    name: string,
    help: string,
    private readonly label: string,
  ) {
    super(name, help, 'gauge');
  }

  readFrom(source: () => Promise<ReadonlyMap<string, boolean>>): void {
    this.source = source;
  }

  override async get(): Promise<object> {
    const parts = (await this.source?.()) ?? new Map<string, boolean>();
    const values = [...parts].map(([part, up]) => ({ labels: { [this.label]: part }, value: up ? 1 : 0 }));
    return { name: this.name, help: this.help, type: this.type, aggregator: 'sum', values };
  }

  /** Nobody knows without asking. */
  protected override readings(): Reading[] {
    return [];
  }
}
