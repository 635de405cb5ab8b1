"""Adapters that PEFT wrote, and the models that PEFT itself made of them by merge_and_unload: adapter.test.ts reads both.

    python3 generate.py            (torch 2, transformers, peft; made with peft 0.21)

Every folder: adapter_config.json, adapter_model.safetensors (one: adapter_model.bin), merged.safetensors. Bases are
`phi3` and `llama`, of a few kilobytes, float32.
"""

import json
import os
import shutil

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, Phi3Config, Phi3ForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = dict(
    hidden_size=8,
    intermediate_size=12,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    vocab_size=24,
    max_position_embeddings=64,
    rms_norm_eps=1e-5,
    tie_word_embeddings=False,
    pad_token_id=0,
    bos_token_id=1,
    eos_token_id=2,
)

BASES = {
    "phi3": lambda: Phi3ForCausalLM(Phi3Config(original_max_position_embeddings=64, **SIZES)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES)),
}

ADAPTERS = {
    "phi3-patterns": (
        "phi3",
        dict(
            r=4,
            lora_alpha=8,
            target_modules=["qkv_proj", "down_proj"],
            rank_pattern={"layers.1.self_attn.qkv_proj": 2},
            alpha_pattern={"down_proj": 3, r"layers\.1\.self_attn\.qkv_proj": 5},
        ),
    ),
    "phi3-dora": ("phi3", dict(r=3, lora_alpha=6, target_modules=["qkv_proj", "gate_up_proj", "o_proj"], use_dora=True)),
    "phi3-saved": (
        "phi3",
        dict(r=2, lora_alpha=4, target_modules=["o_proj", "embed_tokens"], modules_to_save=["lm_head"]),
    ),
    "llama-rslora": ("llama", dict(r=4, lora_alpha=4, target_modules="all-linear", use_rslora=True)),
    "llama-regex": (
        "llama",
        dict(r=2, lora_alpha=3, target_modules=r"^(?!.*layers\.0\.).*\.(?:q|k|v)_proj$"),
    ),
    "llama-layers": (
        "llama",
        dict(r=2, lora_alpha=2, target_modules=["up_proj", "v_proj"], layers_to_transform=[1], init_lora_weights="gaussian"),
    ),
}


def plain(model):
    return {name: value.detach().float().clone().contiguous() for name, value in model.state_dict().items()}


def main():
    configs = {}
    for base, build in BASES.items():
        torch.manual_seed(3)
        model = build()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.5)
        save_file(plain(model), os.path.join(HERE, f"{base}.safetensors"), metadata={"format": "pt"})
        configs[base] = {
            key: value
            for key, value in model.config.to_dict().items()
            if key in SIZES or key in ("model_type", "original_max_position_embeddings")
        }
        configs[base]["architectures"] = [type(model).__name__]
    with open(os.path.join(HERE, "configs.json"), "w") as file:
        json.dump(configs, file, indent=1)
    for name, (base, settings) in ADAPTERS.items():
        torch.manual_seed(3)
        model = BASES[base]()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.5)
        tuned = get_peft_model(model, LoraConfig(**settings))
        torch.manual_seed(5)
        with torch.no_grad():
            for key, parameter in tuned.named_parameters():
                if "lora_" in key or "modules_to_save" in key:
                    parameter.copy_(torch.randn_like(parameter) * 0.3 + (1 if "magnitude" in key else 0))
        folder = os.path.join(HERE, name)
        shutil.rmtree(folder, ignore_errors=True)
        tuned.save_pretrained(folder, safe_serialization=True)
        weights = os.path.join(folder, "adapter_model.safetensors")
        if name == "llama-layers":
            from safetensors.torch import load_file

            torch.save(load_file(weights), os.path.join(folder, "adapter_model.bin"))
            os.remove(weights)
        if os.path.exists(os.path.join(folder, "README.md")):
            os.remove(os.path.join(folder, "README.md"))
        save_file(plain(tuned.merge_and_unload()), os.path.join(folder, "merged.safetensors"), metadata={"format": "pt"})


main()
