"""What a body does and what stands around it: physiology, devices, scenarios, recorded days.

Knows units; knows no reward, no Gymnasium, no torch.
"""
