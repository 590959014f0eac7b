export interface GateConfig extends cdktn.TerraformMetaArguments {
  /**
  * Docs at Terraform Registry: {@link https://example.com/gate#rules Gate#rules}
  */
  readonly rules?: GateRules[] | cdktn.IResolvable;
  /**
  * hinge block
  *
  * Docs at Terraform Registry: {@link https://example.com/gate#hinge Gate#hinge}
  */
  readonly hinge: GateHinge;
  /**
  * lock block
  *
  * Docs at Terraform Registry: {@link https://example.com/gate#lock Gate#lock}
  */
  readonly lock?: GateLock[] | cdktn.IResolvable;
  /**
  * timeouts block
  *
  * Docs at Terraform Registry: {@link https://example.com/gate#timeouts Gate#timeouts}
  */
  readonly timeouts?: GateTimeouts;
}
export function gateHingeToHclTerraform(struct?: GateHingeOutputReference | GateHinge): any {
  const attrs = {
    screws: {
      value: cdktn.listMapperHcl(cdktn.numberToHclTerraform, false)(struct!.screws),
      isBlock: false,
      type: "set",
      storageClassType: "numberList",
    },
  };
}
export class GateHingeOutputReference extends cdktn.ComplexObject {
  // screws - computed: false, optional: true, required: false
  private _screws?: number[];
  public get screws() {
    return cdktn.Token.asNumberList(cdktn.Fn.tolist(this.getNumberListAttribute('screws')));
  }
}
export class GateLockOutputReference extends cdktn.ComplexObject {
  // keys - computed: true, optional: false, required: false
  private _keys = new cdktn.StringMap(this, "keys");
  public get keys() {
    return this._keys;
  }
}
export class GateLockList extends cdktn.ComplexList {
  public get(index: number): GateLockOutputReference {
    return new GateLockOutputReference(this.terraformResource, this.terraformAttribute, index, this.wrapsSet);
  }
}
export class GateRulesOutputReference extends cdktn.ComplexObject {
  // who - computed: true, optional: true, required: false
  public get who() {
    return this.getStringAttribute('who');
  }
}
export class GateRulesList extends cdktn.ComplexList {
  public get(index: number): GateRulesOutputReference {
    return new GateRulesOutputReference(this.terraformResource, this.terraformAttribute, index, this.wrapsSet);
  }
}
export class GateTimeoutsOutputReference extends cdktn.ComplexObject {
  // create - computed: false, optional: true, required: false
  public get create() {
    return this.getStringAttribute('create');
  }
}
export class Gate extends cdktn.TerraformResource {
  // arn - computed: true, optional: false, required: false
  public get arn() {
    return this.getStringAttribute('arn');
  }
  // code_wo - computed: false, optional: true, required: false
  private _codeWo?: string;
  public get codeWo() {
    return this.getStringAttribute('code_wo');
  }
  // rules - computed: true, optional: true, required: false
  private _rules = new GateRulesList(this, "rules", true);
  public get rules() {
    return this._rules;
  }
  // hinge - computed: false, optional: false, required: true
  private _hinge = new GateHingeOutputReference(this, "hinge");
  // lock - computed: false, optional: true, required: false
  private _lock = new GateLockList(this, "lock", false);
  // timeouts - computed: false, optional: true, required: false
  private _timeouts = new GateTimeoutsOutputReference(this, "timeouts");

  protected synthesizeAttributes(): { [name: string]: any } {
    return {
      code_wo: this.markWriteOnlyAttribute(cdktn.stringToTerraform(this._codeWo)),
    };
  }
  protected synthesizeHclAttributes(): { [name: string]: any } {
    const attrs = {
      hinge: {
        value: gateHingeToHclTerraform(this._hinge.internalValue),
        isBlock: true,
        type: "list",
        storageClassType: "GateHingeList",
      },
      lock: {
        value: cdktn.listMapperHcl(gateLockToHclTerraform, true)(this._lock.internalValue),
        isBlock: true,
        type: "list",
        storageClassType: "GateLockList",
      },
      timeouts: {
        value: gateTimeoutsToHclTerraform(this._timeouts.internalValue),
        isBlock: true,
        type: "struct",
        storageClassType: "GateTimeouts",
      },
    };
  }
}
