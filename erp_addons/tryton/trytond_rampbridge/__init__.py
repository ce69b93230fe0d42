# This file is part of trytond-rampbridge. The file LICENSE holds the license terms.
