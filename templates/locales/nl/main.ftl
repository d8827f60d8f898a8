brand-name = Voordeur
