export interface ParkProviderConfig {
  /**
  * gate block
  *
  * Docs at Terraform Registry: {@link https://example.com/#gate ParkProvider#gate}
  */
  readonly gate?: ParkProviderGate[] | cdktn.IResolvable;
}
export interface ParkProviderGate {
  /**
  * Docs at Terraform Registry: {@link https://example.com/#names ParkProvider#names}
  */
  readonly names?: string[];
  /**
  * Docs at Terraform Registry: {@link https://example.com/#width ParkProvider#width}
  */
  readonly width: number;
}
export function parkProviderGateToHclTerraform(struct?: ParkProviderGate | cdktn.IResolvable): any {
  const attrs = {
    names: {
      value: cdktn.listMapperHcl(cdktn.stringToHclTerraform, false)(struct!.names),
      isBlock: false,
      type: "set",
      storageClassType: "stringList",
    },
  };
}
export class ParkProvider extends cdktn.TerraformProvider {
  // alias - computed: false, optional: true, required: false
  private _alias?: string;
  public get alias() {
    return this._alias;
  }
  // gate - computed: false, optional: true, required: false
  private _gate?: ParkProviderGate[] | cdktn.IResolvable;
  public get gate() {
    return this._gate;
  }
}
