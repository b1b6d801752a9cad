"""DeepSORT (Wojke, Bewley, Paulus: Simple online and realtime tracking with a deep association metric, 2017)."""
